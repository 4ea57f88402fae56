import { createHash, randomBytes } from 'node:crypto';
import type { Access } from '../api-keys.ts';

/** A session ends so long after it began, and so long after it was last used, in milliseconds. */
const LONGEST_MS = 12 * 3_600_000;
const IDLE_MS = 3_600_000;

/** More people than that do not look at one relay; the oldest session makes room. */
const MOST = 1_000;

/** Who has granted what to a session. */
export type SessionAccess = Extract<Access, { readonly kind: 'granted' }>;

/**
 * Sessions of people who have shown their key, in the memory of this process: an end of the process signs
 * everybody out. The key itself is not kept, and of a session's id only its hash.
 */
export interface Sessions {
  /** Begins one. @returns its id: 256 random bits, for the cookie alone */
  begin(access: SessionAccess): string;
  /** Who it belongs to, or undefined where there is none with this id, any more. */
  find(id: string): SessionAccess | undefined;
  /** Ends one; repeating it changes nothing. */
  end(id: string): void;
}

interface Session {
  readonly access: SessionAccess;
  readonly beganAtMs: number;
  readonly usedAtMs: number;
}

/** Keeps sessions. @param now milliseconds since 1970 */
export function openSessions(now: () => number): Sessions {
  const sessions = new Map<string, Session>();

  function isOver({ beganAtMs, usedAtMs }: Session): boolean {
    return now() - beganAtMs > LONGEST_MS || now() - usedAtMs > IDLE_MS;
  }

  return {
    begin(access) {
      for (const [key, session] of sessions) if (isOver(session)) sessions.delete(key);
      const [oldest] = sessions.keys();
      if (sessions.size >= MOST && oldest !== undefined) sessions.delete(oldest);
      const id = randomBytes(32).toString('base64url');
      sessions.set(hashOf(id), { access, beganAtMs: now(), usedAtMs: now() });
      return id;
    },
    find(id) {
      const key = hashOf(id);
      const session = sessions.get(key);
      if (session === undefined || isOver(session)) {
        sessions.delete(key);
        return undefined;
      }
      sessions.set(key, { ...session, usedAtMs: now() });
      return session.access;
    },
    end: (id) => {
      sessions.delete(hashOf(id));
    },
  };
}

/** What is looked up by its hash cannot be guessed from how long the look-up takes. */
const hashOf = (id: string): string => createHash('sha256').update(id).digest('base64url');
