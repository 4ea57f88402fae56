import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';
import { EXIT } from './exit-codes.ts';
import { CliFailure } from './failure.ts';

/**
 * Reads the configuration from the environment and from `.env` in the working directory, if there is one;
 * what is set in both counts as the environment says.
 *
 * @throws {ConfigInvalid} with every problem at once
 * @throws {CliFailure} where `.env` cannot be read
 */
export async function loadConfig(): Promise<Config> {
  loadEnvFile();
  const { readConfig } = await import('../config.ts');
  return readConfig(process.env);
}

/**
 * Adds to the environment what `.env` in the working directory holds and the environment does not.
 *
 * @throws {CliFailure} where it is there and cannot be read
 */
export function loadEnvFile(): void {
  if (!existsSync('.env')) return;
  try {
    process.loadEnvFile('.env');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure(`.env: expected a file that can be read, got ${reason}`, EXIT.configuration, {
      cause,
    });
  }
}
