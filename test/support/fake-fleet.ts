import type { SharedCircuit } from '../../src/domain/circuit.ts';
import type { FleetState } from '../../src/pipeline/gate.ts';
import type { FakeClock } from './fake-clock.ts';

/** What a fleet tells each other, kept in memory and forgotten by a clock that only the test moves. */
export interface FakeFleet extends FleetState {
  /** Times of the probes that were taken. */
  readonly probes: number[];
  /** Rejects every call from now on, or no longer. */
  cutOff(isCutOff: boolean): void;
  /** Keeps the answers to looks until it is called again with false: they tell what was true when they began. */
  holdLooks(isHeld: boolean): void;
}

export function fakeFleet(clock: Pick<FakeClock, 'now'>): FakeFleet {
  const probes: number[] = [];
  const heldLooks: (() => void)[] = [];
  let areLooksHeld = false;
  let isCutOff = false;
  let circuit: { readonly said: NonNullable<SharedCircuit>; readonly untilMs: number } | undefined;
  let holdUntilMs = 0;
  let probeUntilMs = 0;

  async function reach(): Promise<void> {
    if (isCutOff) throw new Error('redis is away');
  }

  const known = (): typeof circuit => {
    if (circuit !== undefined && circuit.untilMs <= clock.now()) circuit = undefined;
    return circuit;
  };

  return {
    probes,
    cutOff(value) {
      isCutOff = value;
    },
    holdLooks(isHeld) {
      areLooksHeld = isHeld;
      if (!isHeld) for (const answer of heldLooks.splice(0)) answer();
    },
    async look() {
      await reach();
      const said = { circuit: known()?.said, holdForMs: Math.max(0, holdUntilMs - clock.now()) };
      if (areLooksHeld) await new Promise<void>((resolve) => heldLooks.push(resolve));
      return said;
    },
    async sayOpen(said, ttlMs) {
      await reach();
      circuit = { said, untilMs: clock.now() + ttlMs };
    },
    async keepOpen(ttlMs) {
      await reach();
      const { said } = known() ?? {};
      if (said !== undefined) circuit = { said, untilMs: clock.now() + ttlMs };
    },
    async sayClosed() {
      await reach();
      circuit = undefined;
    },
    async takeProbe(intervalMs) {
      await reach();
      if (probeUntilMs > clock.now()) return false;
      probeUntilMs = clock.now() + intervalMs;
      probes.push(clock.now());
      return true;
    },
    async sayHold(forMs) {
      await reach();
      holdUntilMs = Math.max(holdUntilMs, clock.now() + forMs);
    },
  };
}
