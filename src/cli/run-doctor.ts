import type { Config } from '../config.ts';
import type { Check } from '../pipeline/diagnosis.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { CliFailure } from './failure.ts';
import { loadConfig } from './load-config.ts';
import { lookUpBriefly } from './look-up-briefly.ts';
import { lineWidth, print, printJson } from './output.ts';
import { renderChecks } from './render-checks.ts';

/** Checks everything and prints what was found. */
export async function runDoctor(isJson: boolean): Promise<ExitCode> {
  const { checks, isConfigured } = await examine();
  const isOk = checks.every(({ status }) => status !== 'failed');
  if (isJson) printJson({ ok: isOk, checks });
  else for (const line of renderChecks(checks, lineWidth())) print(line);
  if (!isConfigured) return EXIT.configuration;
  return isOk ? EXIT.done : EXIT.someFailed;
}

interface Examination {
  readonly checks: readonly Check[];
  /** Whether there was a configuration to go by. */
  readonly isConfigured: boolean;
}

async function examine(): Promise<Examination> {
  const { ConfigInvalid } = await import('../config.ts');
  let config: Config;
  try {
    config = await loadConfig();
  } catch (error) {
    if (error instanceof ConfigInvalid) return unconfigured(error.message.split('\n'));
    if (error instanceof CliFailure) return unconfigured([error.message]);
    throw error;
  }
  lookUpBriefly(process.env);
  const { diagnose } = await import('../doctor.ts');
  const { ElasticsearchOptionsInvalid } = await import('../adapters/elasticsearch/client-options.ts');
  try {
    return { checks: await diagnose(config), isConfigured: true };
  } catch (error) {
    if (error instanceof ElasticsearchOptionsInvalid) return unconfigured([error.message]);
    throw error;
  }
}

function unconfigured(problems: readonly string[]): Examination {
  const checks = problems.map((detail, index): Check => {
    const check = { name: 'configuration', status: 'failed', detail } as const;
    if (index < problems.length - 1) return check;
    return {
      ...check,
      advice: 'docs/configuration.md says what each setting takes; nothing else could be checked.',
    };
  });
  return { checks, isConfigured: false };
}
