/**
 * Finds routes by path and method as Elasticsearch's path trie does: named segments before `{any}`,
 * falling back to `{any}` where the named one has no handler for the method. That is why
 * `DELETE /_connector/_sync_job` deletes the connector `_sync_job` (general knowledge: `PathTrie`).
 */
import { decodeComponent } from './wire/decode.ts';

/** What the router needs to know of a route. */
export interface Routable {
  readonly method: string;
  /** Segments after slashes; `{name}` takes any segment, the empty one included. */
  readonly path: string;
}

/** What a path and method come to. */
export type Match<R extends Routable> =
  | { readonly kind: 'found'; readonly route: R; readonly parameters: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'unknown' };

interface Node<R extends Routable> {
  readonly named: Map<string, Node<R>>;
  any: Node<R> | undefined;
  readonly routes: Map<string, R>;
}

const methodOrder = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE', 'CONNECT'];

/** Routes by path. */
export class Router<R extends Routable> {
  readonly #root: Node<R> = emptyNode();

  /** @param routes - All routes; a later one of the same method and path wins. */
  constructor(routes: Iterable<R>) {
    for (const route of routes) {
      let node = this.#root;
      for (const segment of splitPath(route.path)) {
        if (segment.startsWith('{')) {
          node.any ??= emptyNode();
          node = node.any;
        } else {
          let child = node.named.get(segment);
          if (child === undefined) {
            child = emptyNode();
            node.named.set(segment, child);
          }
          node = child;
        }
      }
      node.routes.set(route.method, route);
    }
  }

  /**
   * Finds a route for a raw, still encoded path.
   *
   * @throws ServerException 400 where a segment cannot be decoded.
   */
  find(method: string, path: string): Match<R> {
    const segments = splitPath(path);
    const nodes = [...walk(this.#root, segments, 0)];
    for (const node of nodes) {
      const route = node.routes.get(method);
      if (route !== undefined)
        return { kind: 'found', route, parameters: parametersOf(route.path, segments) };
    }
    const allowed = new Set(nodes.flatMap((node) => [...node.routes.keys()]));
    if (allowed.size === 0) return { kind: 'unknown' };
    return { kind: 'wrong-method', allowed: methodOrder.filter((known) => allowed.has(known)) };
  }
}

function emptyNode<R extends Routable>(): Node<R> {
  return { named: new Map(), any: undefined, routes: new Map() };
}

/** Empty segments count, but for those at the end. */
function splitPath(path: string): string[] {
  const segments = path.split('/');
  if (segments[0] === '') segments.shift();
  while (segments.at(-1) === '') segments.pop();
  return segments;
}

function* walk<R extends Routable>(
  node: Node<R>,
  segments: readonly string[],
  at: number,
): Generator<Node<R>> {
  const segment = segments[at];
  if (segment === undefined) {
    if (node.routes.size > 0) yield node;
    return;
  }
  const named = node.named.get(segment);
  if (named !== undefined) yield* walk(named, segments, at + 1);
  if (node.any !== undefined) yield* walk(node.any, segments, at + 1);
}

function parametersOf(pattern: string, segments: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  const names = splitPath(pattern);
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? '';
    if (name.startsWith('{')) parameters[name.slice(1, -1)] = decodeComponent(segments[at] ?? '');
  }
  return parameters;
}
