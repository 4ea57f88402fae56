/**
 * Asks once for all who want to know at about the same time.
 *
 * @param freshMs how long an answer counts, in milliseconds; a failure counts for nobody but those who waited
 */
export function shareAnswer<T>(ask: () => Promise<T>, freshMs: number, now: () => number): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let askedAtMs = 0;
  return () => {
    if (answer !== undefined && now() - askedAtMs < freshMs) return answer;
    askedAtMs = now();
    const asked = ask();
    answer = asked;
    asked.catch(() => {
      if (answer === asked) answer = undefined;
    });
    return asked;
  };
}
