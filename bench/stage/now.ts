/** Milliseconds on the machine's own clock, the same in all processes; it never goes back and has no date. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
