import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** The text of a file of the repository. */
export const repositoryFile = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** A service as docker-compose.yml writes it, as far as the tests look. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly user?: string;
  readonly container_name?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ulimits?: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
  readonly stop_grace_period?: string;
  readonly restart?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** docker-compose.yml with its anchors merged. */
export const composeFile = (): ComposeFile =>
  parse(repositoryFile('docker-compose.yml'), { merge: true }) as ComposeFile;

/** One service of it. */
export function composeService(name: string): ComposeService {
  const service = composeFile().services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** One instruction of a Dockerfile, continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The Dockerfile's stages, each with the instructions after its FROM. */
export function dockerfileStages(): readonly {
  readonly from: string;
  readonly steps: readonly Instruction[];
}[] {
  const lines = repositoryFile('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { from: string; steps: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push({ from: value, steps: [] });
    else stages.at(-1)?.steps.push({ name, value });
  }
  return stages;
}
