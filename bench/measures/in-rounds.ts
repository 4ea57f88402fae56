/**
 * Measures each subject once a round, so that what changes about the machine in the meantime changes for all.
 * Each round begins with another one: none has always the same before it.
 *
 * @returns what came of each, a value a round
 */
export async function inRounds<Name extends string, Value>(
  rounds: number,
  subjects: readonly Name[],
  measure: (name: Name, round: number) => Promise<Value>,
): Promise<ReadonlyMap<Name, readonly Value[]>> {
  const values = new Map<Name, Value[]>(subjects.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % subjects.length;
    for (const name of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      values.get(name)?.push(await measure(name, round));
    }
  }
  return values;
}
