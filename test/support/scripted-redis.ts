/** A server that speaks just enough of Redis' protocol to say what a test wants to hear. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The reply to a command: a string as it goes over the wire, or undefined for none at all. */
export type Reply = string | undefined;

export type Script = (command: readonly string[], socket: Socket) => Reply | Promise<Reply>;

export interface ScriptedRedis {
  readonly url: string;
  readonly port: number;
  /** What was asked so far, the name in upper case. */
  readonly commands: readonly (readonly string[])[];
  /** Ends every connection. */
  drop(): void;
}

/** `+OK` */
export const OK = '+OK\r\n';

/** An error as Redis words it: its first word is its code. */
export const error = (message: string): string => `-${message}\r\n`;

/** A text of any length. */
export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** Several replies in one. */
export const array = (...replies: readonly string[]): string => `*${replies.length}\r\n${replies.join('')}`;

export const integer = (value: number): string => `:${value}\r\n`;

/** What every client asks first; HELLO is refused, so that the protocol stays the old one. */
export function handshake([name]: readonly string[], info = 'redis_version:7.4.1'): Reply {
  switch (name) {
    case 'HELLO':
      return error("ERR unknown command 'HELLO'");
    case 'INFO':
      return bulk(info);
    case 'CLIENT':
      return OK;
    case 'QUIT':
      return OK;
    default:
      return undefined;
  }
}

/** Starts one that is gone when the test has finished; replies are sent in the order of the commands. */
export async function scriptedRedis(script: Script): Promise<ScriptedRedis> {
  const commands: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    let text = '';
    let replied: Promise<unknown> = Promise.resolve();
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
      for (let parsed = parseCommand(text); parsed !== undefined; parsed = parseCommand(text)) {
        text = text.slice(parsed.length);
        const command = parsed.words.map((word, index) => (index === 0 ? word.toUpperCase() : word));
        commands.push(command);
        replied = replied.then(async () => {
          const reply = await script(command, socket);
          if (reply !== undefined && socket.writable) socket.write(reply);
        });
      }
    });
  });
  const port = await listen(server);
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    drop();
    server.close();
  });
  return { url: `redis://127.0.0.1:${port}`, port, commands, drop };
}

/** What goes to Redis in place of a command; the command itself, or another one whose reply is the one to give. */
export type Rewrite = (command: readonly string[]) => readonly string[] | Promise<readonly string[]>;

/** A command that Redis answers with what the Lua expression gives. */
export const answering = (lua: string): readonly string[] => ['EVAL', `return ${lua}`, '0'];

/** The real Redis at the address, with some of its commands played: for what this one does not have. */
export async function rewritingRedis(url: string, rewrite: Rewrite): Promise<ScriptedRedis> {
  const commands: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const upstream = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [each, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(each);
      each.on('error', () => undefined).on('close', () => other.destroy());
    }
    upstream.pipe(socket);
    let text = '';
    let passed: Promise<unknown> = Promise.resolve();
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
      for (let parsed = parseCommand(text); parsed !== undefined; parsed = parseCommand(text)) {
        text = text.slice(parsed.length);
        const command = parsed.words.map((word, index) => (index === 0 ? word.toUpperCase() : word));
        commands.push(command);
        passed = passed.then(async () => {
          const words = await rewrite(command);
          const body = words.map((word) => `$${word.length}\r\n${word}\r\n`).join('');
          if (upstream.writable) upstream.write(`*${words.length}\r\n${body}`, 'latin1');
        });
      }
    });
  });
  const port = await listen(server);
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    drop();
    server.close();
  });
  return { url: `redis://127.0.0.1:${port}`, port, commands, drop };
}

/** Listens on a free port of this machine. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** The first whole command: an array of texts, each with its length before it. */
function parseCommand(text: string): { readonly words: string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return undefined;
    const start = at + size[0].length;
    const end = start + Number(size[1]);
    if (text.length < end + 2) return undefined;
    words.push(text.slice(start, end));
    at = end + 2;
  }
  return { words, length: at };
}
