/** What the process says when it ends; after sysexits.h, and 128 + the number of the signal. */
export const EXIT = {
  /** All done. */
  done: 0,
  /** Some of it was refused, not found or left unfinished. */
  someFailed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** Redis or another service is not there. */
  unavailable: 69,
  /** A fault of ours. */
  bug: 70,
  /** The configuration makes no sense, or names a Redis that would lose reports. */
  configuration: 78,
  /** SIGINT. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of a process that a signal ended. */
export const exitCodeOf = (signal: 'SIGINT' | 'SIGTERM'): ExitCode =>
  signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
