/** The door's API, as the page calls it; the browser adds the session. */

/** What the door refused, in its own words. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {readonly { readonly field?: string, readonly expected?: string, readonly message?: string }[]} problems
   */
  constructor(status, message, problems) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.problems = problems;
  }
}

/**
 * Calls and resolves with the answer's JSON.
 *
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {string} [type]
 * @returns {Promise<any>}
 * @throws {Refusal}
 */
export async function call(method, path, body, type = 'application/json') {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } };
  const response = await fetch(path, { method, cache: 'no-store', ...sent }).catch(() => {
    throw new Refusal(0, 'The door does not answer.', []);
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401) document.dispatchEvent(new Event('signedout'));
  throw new Refusal(response.status, answer.detail ?? `HTTP ${response.status}`, answer.problems ?? []);
}

/**
 * What went wrong, for people.
 *
 * @param {unknown} error
 */
export function describe(error) {
  if (!(error instanceof Refusal)) return String(error);
  const problems = error.problems.map(({ field, expected, message }) =>
    [field, expected ?? message].filter((part) => part !== undefined && part !== '').join(': '),
  );
  return [error.message, ...problems].join(' ');
}

/**
 * A query of what is given and not empty.
 *
 * @param {Readonly<Record<string, string | undefined>>} values
 */
export function queryOf(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') query.set(name, value);
  }
  return query;
}
