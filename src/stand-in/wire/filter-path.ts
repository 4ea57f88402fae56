/**
 * `filter_path`: keeps, or with a leading minus leaves out, the members a list of paths names.
 * `*` stands for one name or a part of one, `**` for any number of levels; arrays are looked through
 * (source: Elasticsearch's response filtering, general knowledge).
 */
import { isObject, type JsonObject, setOwn } from '../json/read-value.ts';

type Pattern = readonly string[];

/** The part of `value` that the patterns leave; an empty object when nothing is left. */
export function filterPath(value: unknown, patterns: readonly string[]): unknown {
  const kept = patterns.filter((pattern) => !pattern.startsWith('-')).map(split);
  const dropped = patterns
    .filter((pattern) => pattern.startsWith('-'))
    .map((pattern) => split(pattern.slice(1)));
  const included = kept.length === 0 ? value : include(value, kept);
  const rest = dropped.length === 0 ? included : exclude(included, dropped);
  return rest ?? {};
}

function split(pattern: string): Pattern {
  // A dot behind a backslash belongs to the name.
  return pattern.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
}

/** What is left of each pattern below `name`; a pattern that is used up is the empty list. */
function below(patterns: readonly Pattern[], name: string): Pattern[] {
  return patterns.flatMap((pattern) => {
    const [head, ...tail] = pattern;
    if (head === undefined) return [];
    if (head !== '**') return nameMatches(head, name) ? [tail] : [];
    return [pattern, ...(tail.length === 0 ? [tail] : below([tail], name))];
  });
}

function nameMatches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

function include(value: unknown, patterns: readonly Pattern[]): unknown {
  if (patterns.some((pattern) => pattern.length === 0)) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => include(item, patterns)).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (!isObject(value)) return undefined;
  const result: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    const remaining = below(patterns, name);
    const left = remaining.length === 0 ? undefined : include(member, remaining);
    if (left !== undefined) setOwn(result, name, left);
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function exclude(value: unknown, patterns: readonly Pattern[]): unknown {
  if (patterns.some((pattern) => pattern.length === 0)) return undefined;
  if (Array.isArray(value)) {
    return value.map((item) => exclude(item, patterns)).filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    const left = exclude(member, below(patterns, name));
    if (left !== undefined) setOwn(result, name, left);
  }
  return Object.keys(result).length === 0 && Object.keys(value).length > 0 ? undefined : result;
}
