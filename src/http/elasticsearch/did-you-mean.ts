/**
 * The names that Elasticsearch takes for what was meant: those whose Levenshtein distance is less than half
 * of the longer name, nearest first, in alphabetical order where equally near.
 */
export function nearestNames(name: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, likeness: likeness(name, candidate) }))
    .filter(({ likeness: found }) => found > 0.5)
    .sort((a, b) => b.likeness - a.likeness || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
}

/** `did you mean [a]?` or `did you mean any of [a, b]?` after a prefix; empty where nothing is near. */
export function didYouMean(prefix: string, name: string, candidates: readonly string[]): string {
  const near = nearestNames(name, candidates);
  if (near.length === 0) return '';
  return `${prefix}did you mean ${near.length === 1 ? '' : 'any of '}[${near.join(', ')}]?`;
}

/** From 0, nothing in common, to 1, the same. */
function likeness(a: string, b: string): number {
  const longer = Math.max(a.length, b.length);
  if (longer === 0) return 1;
  // Where one is more than twice as long as the other, the distance is more than half of the longer.
  if (Math.min(a.length, b.length) * 2 < longer) return 0;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    row = next;
  }
  return 1 - (row[b.length] ?? 0) / longer;
}
