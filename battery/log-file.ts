import { appendFileSync } from 'node:fs';

/**
 * Opens a file that lines are added to. Those of one turn of the event loop are written together: three workers at
 * full load print thousands a second, and the battery shares the cores with them.
 */
export function openLogFile(path: string): (line: string) => void {
  let lines: string[] = [];
  const write = (): void => {
    if (lines.length > 0) appendFileSync(path, `${lines.join('\n')}\n`);
    lines = [];
  };
  process.on('exit', write);
  return (line) => {
    if (lines.length === 0) setImmediate(write);
    lines.push(line);
  };
}
