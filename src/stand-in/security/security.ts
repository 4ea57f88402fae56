/** Who may do what: users, API keys and their cluster privileges. */
import type { IncomingHttpHeaders } from 'node:http';
import type { VersionTraits } from '../version.ts';

/** Users and keys that exist from the start. */
export interface SecurityOptions {
  readonly users?: readonly UserOptions[];
}

/** A user who signs in with a password. */
export interface UserOptions {
  readonly name: string;
  readonly password: string;
}

/** Somebody who has signed in. */
export interface Principal {
  readonly name: string;
}

/** The security of one cluster. */
export class Security {
  readonly options: SecurityOptions;
  readonly version: VersionTraits;

  /**
   * @param options - Who exists.
   * @param version - Decides which privileges are asked for.
   */
  constructor(options: SecurityOptions, version: VersionTraits) {
    this.options = options;
    this.version = version;
  }

  authenticate(_headers: IncomingHttpHeaders, _path: string): Principal {
    return { name: 'elastic' };
  }

  authorize(_principal: Principal, _action: string): void {}
}
