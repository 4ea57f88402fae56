/** What a route is, and what its handler is given and gives back. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Cluster } from './cluster/cluster.ts';
import type { Principal } from './security/security.ts';
import type { Query } from './wire/query.ts';

/** One request on its way to a handler: routed, of an acceptable media type, and authenticated. */
export interface Call {
  readonly cluster: Cluster;
  /** Decoded path parameters. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Query;
  /** The body, unpacked; empty when none was sent. */
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** Who asks; undefined when security is off. */
  readonly principal: Principal | undefined;
}

/** An answer, before it is written out. */
export interface Answer {
  readonly status: number;
  /** Anything JSON can hold; undefined for an empty body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Written over several lines unless `pretty=false` is asked for. */
  readonly pretty?: boolean;
}

/** A request whose body and parameters have been read, waiting for the checks that come before it runs. */
export interface Prepared {
  /** What is wrong with the request as a whole, in order; answered before authorization. */
  readonly problems?: readonly string[];
  /** Runs the request; may throw ServerException. */
  readonly execute: () => Answer;
}

/** One line of the table of routes. */
export interface Route {
  readonly method: string;
  readonly path: string;
  /** The action's name, which privileges speak of; undefined where being somebody is enough. */
  readonly action: string | undefined;
  /** Whether the body is read; one sent where none is read is refused. */
  readonly body: 'read' | 'none';
  /** Reads parameters and body; may throw ServerException. */
  readonly prepare: (call: Call) => Prepared;
}

/** 200 with `{"result":"updated"}`. */
export const updated: Answer = Object.freeze({ status: 200, body: Object.freeze({ result: 'updated' }) });

/** 200 with `{"acknowledged":true}`. */
export const acknowledged: Answer = Object.freeze({
  status: 200,
  body: Object.freeze({ acknowledged: true }),
});
