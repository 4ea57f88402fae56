import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';
import { type CommandPart, encodeCommand } from './encode-command.ts';
import { isUnknownScript } from './load-scripts.ts';

/** What BullMQ calls a script with: the number of keys where it varies, the keys, the arguments. */
export type ScriptArguments = NonNullable<ConstructorParameters<typeof Command>[1]>;

/** A script of one connection. */
export class ConnectionScript {
  readonly #redis: Redis;
  readonly #numberOfKeys: number | undefined;
  readonly #text: string;
  /** How it is called by its digest; only made where it is called again, for most scripts of BullMQ never are. */
  #byDigest: readonly string[] | undefined;
  /** The socket that it was sent through whole. */
  #sentThrough: object | undefined;

  constructor(redis: Redis, text: string, numberOfKeys: number | undefined) {
    this.#redis = redis;
    this.#numberOfKeys = numberOfKeys;
    this.#text = text;
  }

  /** Runs it; sends it whole where its connection is new, or Redis has forgotten it. */
  run(args: ScriptArguments): Promise<unknown> {
    return this.send(this.#numberOfKeys === undefined ? args : [this.#numberOfKeys, ...args]);
  }

  /** Sends what `run` has made of its arguments. */
  send(args: ScriptArguments): Promise<unknown> {
    const command = new ScriptCommand(this, args);
    this.#redis.sendCommand(command);
    return command.promise;
  }

  /** What goes through a socket for it. */
  encode(args: readonly CommandPart[], socket: object): Buffer {
    if (this.#sentThrough !== socket) {
      this.#sentThrough = socket;
      return encodeCommand(['eval', this.#text], args);
    }
    this.#byDigest ??= ['evalsha', createHash('sha1').update(this.#text).digest('hex')];
    return encodeCommand(this.#byDigest, args);
  }

  /** Takes note that Redis does not know it. */
  forgotten(): void {
    this.#sentThrough = undefined;
  }
}

/** One call of it; as the command of ioredis, with an encoding of its own. */
class ScriptCommand extends Command {
  readonly #script: ConnectionScript;

  constructor(script: ConnectionScript, args: ScriptArguments) {
    super('evalsha', args, { replyEncoding: 'utf8' });
    this.#script = script;
    const reject = this.reject;
    this.reject = (error) => {
      if (!isUnknownScript(error)) return reject(error);
      script.forgotten();
      script.send(args).then(this.resolve, reject);
    };
  }

  override toWritable(socket: object): Buffer {
    return this.#script.encode(this.args as CommandPart[], socket);
  }
}
