/**
 * Elasticsearch's suggestions for a misspelt name: Lucene's Levenshtein similarity, kept when it is
 * above 0.5, best first (general knowledge of Elasticsearch: `LevenshteinDistance.getDistance`).
 */

/** Similarity in 0..1: one minus the edit distance over the longer length; equal names give 1. */
export function similarity(a: string, b: string): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  let previous = Array.from({ length: a.length + 1 }, (_, index) => index);
  for (let j = 1; j <= b.length; j++) {
    const current = [j];
    for (let i = 1; i <= a.length; i++) {
      const cost = a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1;
      const above = current[i - 1] ?? 0;
      const left = previous[i] ?? 0;
      const diagonal = previous[i - 1] ?? 0;
      current.push(Math.min(above + 1, left + 1, diagonal + cost));
    }
    previous = current;
  }
  return 1 - (previous[a.length] ?? 0) / Math.max(a.length, b.length);
}

/** The candidates near enough to `name`, best first and alphabetical among equals. */
export function suggestionsFor(name: string, candidates: Iterable<string>): string[] {
  return [...candidates]
    .map((candidate) => ({ candidate, score: similarity(name, candidate) }))
    .filter(({ score }) => score > 0.5)
    .sort((a, b) => b.score - a.score || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
}

/** ` did you mean [x]?`, ` did you mean any of [x, y]?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = suggestionsFor(name, candidates);
  if (found.length === 0) return '';
  return found.length === 1 ? ` did you mean [${found[0]}]?` : ` did you mean any of [${found.join(', ')}]?`;
}
