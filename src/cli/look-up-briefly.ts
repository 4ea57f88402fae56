/**
 * Keeps the system's resolver from holding up a short command: a look-up cannot be called off, not even by ending
 * the process, and by default an unanswered one takes ten seconds and more. Read by the C library (resolv.conf(5))
 * at the first look-up; what the operator has set stays.
 */
export function lookUpBriefly(env: Record<string, string | undefined>): void {
  env['RES_OPTIONS'] ??= 'timeout:1 attempts:1';
}
