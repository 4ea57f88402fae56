/** Makes a text from outside fit to be kept: secrets taken out, and not longer than `MAX_QUOTED_LENGTH`. */
export type Quote = (text: string) => string;

/** Longest quoted text, in UTF-16 code units. Elasticsearch echoes the whole report in some refusals. */
export const MAX_QUOTED_LENGTH = 1_000;

/** Elasticsearch takes no shorter password; anything shorter would take ordinary words apart. */
const MIN_SECRET_LENGTH = 6;

/** Takes secrets out of a text, however long it is. */
export type Redact = (text: string) => string;

/** A redactor that knows the connection's secrets, in each form they travel in. */
export function redactor(secrets: readonly string[]): Redact {
  const known = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    // The longest first: a secret within another must not leave the rest of it standing.
    .toSorted((a, b) => b.length - a.length);
  return (text) => known.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
}

/** A quoter that knows the connection's secrets. */
export function quoter(secrets: readonly string[]): Quote {
  const redact = redactor(secrets);
  return (text) => shorten(redact(text));
}

function shorten(text: string): string {
  if (text.length <= MAX_QUOTED_LENGTH) return text;
  // A pair of surrogates that the cut divides loses its other half as well.
  const head = text.slice(0, MAX_QUOTED_LENGTH - 1);
  return `${head.isWellFormed() ? head : head.replace(/[\uD800-\uDBFF]$/, '')}…`;
}
