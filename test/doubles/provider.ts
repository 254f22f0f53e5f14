/**
 * A platform in memory, and a provider for it. Its "virtual machine" is an `EngineDouble`; its "user data" a buffer.
 * The platform lives in the test's process; a provider in another process reaches it through `PlatformCall`, so that a
 * worker can be killed without the platform noticing.
 *
 * What it cannot show: a hypervisor, boot times, disks, networks, and everything that a platform does late or twice.
 */
import type { CreateProvider, EngineAddress, Provider, ProviderContext } from '../../providers/contract.ts';
import { USER_DATA_MAGIC, userDataSchema } from '../../src/protocol/engine.ts';
import { type ErrorCode, IpsError } from '../../src/protocol/errors.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import { EngineDouble, type EngineScript } from './engine.ts';
import { ShareDouble } from './share.ts';

/** Size of every source, in bytes. */
export const VIRTUAL_SIZE = 1024;

export type PlatformCall = (method: string, ...args: unknown[]) => Promise<unknown>;

interface Machine {
  engine: EngineDouble;
  port: number;
  alive: boolean;
}

export interface PlatformScript extends EngineScript {
  findings?: Finding[] | undefined;
  claimRefused?: ErrorCode | undefined;
  startFails?: ErrorCode | undefined;
  /** Removing the machine has no effect. */
  undead?: boolean | undefined;
  /** Holds a call of this name until `releaseCall`. */
  holdCall?: string | undefined;
  dataBytes?: number | undefined;
}

export class PlatformDouble {
  readonly share = new ShareDouble();
  readonly machines = new Map<string, Machine>();
  readonly userData = new Map<string, Buffer>();
  /** Every call, in order. */
  readonly calls: string[] = [];
  readonly engines: EngineDouble[] = [];
  /** Kinds of the ledger rows that were open when something was made, told by the provider. */
  readonly rowsBeforeCreate: string[][] = [];
  script: PlatformScript;
  /** Where the engine is said to be, instead of where it is. */
  addressInstead: EngineAddress | undefined;
  #held = Promise.withResolvers<void>();

  constructor(script: PlatformScript = {}) {
    this.script = script;
  }

  releaseCall(): void {
    this.script = { ...this.script, holdCall: undefined };
    this.#held.resolve();
    this.#held = Promise.withResolvers();
  }

  /** The machine stops by itself, as after a crash of its host. */
  async crash(): Promise<void> {
    for (const machine of this.machines.values()) {
      machine.alive = false;
      await machine.engine.powerOff();
    }
  }

  async close(): Promise<void> {
    this.#held.resolve();
    await this.crash();
  }

  readonly call: PlatformCall = async (method, ...args) => {
    this.calls.push(method);
    if (this.script.holdCall === method) await this.#held.promise;
    const name = String(args[0]);
    switch (method) {
      case 'claim':
        if (this.script.claimRefused) throw new IpsError(this.script.claimRefused);
        return undefined;
      case 'preflight':
        return this.script.findings ?? [];
      case 'create':
        return await this.#create(name, String(args[1]), args[2] as string[]);
      case 'address':
        return this.addressInstead ?? this.#address(name);
      case 'alive':
        return this.machines.get(name)?.alive ?? false;
      case 'console':
        return this.machines.has(name) ? 'booting\nengine double is ready\n' : '';
      case 'removeUserData':
        this.userData.delete(name);
        return undefined;
      case 'destroy':
        await this.#destroy(name);
        return !this.machines.has(name);
      case 'share':
        return this.share.call(args[0] as 'probe', String(args[1]), args[2] as string | undefined);
      default:
        throw new Error(`the platform double has no ${method}`);
    }
  };

  #address(name: string): EngineAddress | undefined {
    const machine = this.machines.get(name);
    return machine && { host: '127.0.0.1', port: machine.port };
  }

  async #create(name: string, userData: string, openRows: string[]): Promise<void> {
    this.rowsBeforeCreate.push(openRows);
    if (this.script.startFails) throw new IpsError(this.script.startFails);
    if (this.machines.has(name)) return;
    const disk = Buffer.from(userData, 'base64');
    const text = disk.toString('utf8', 0, disk.indexOf(0));
    if (!text.startsWith(USER_DATA_MAGIC)) throw new Error('the user data has no magic');
    const parsed = userDataSchema.parse(JSON.parse(text.slice(USER_DATA_MAGIC.length)));
    this.userData.set(name, disk);
    const engine = new EngineDouble(parsed, this.script, this.share, `boot-${this.engines.length + 1}`);
    this.engines.push(engine);
    this.machines.set(name, { engine, port: await engine.listen(), alive: true });
  }

  async #destroy(name: string): Promise<void> {
    const machine = this.machines.get(name);
    if (!machine || this.script.undead) return;
    this.machines.delete(name);
    this.userData.delete(name);
    await machine.engine.powerOff();
  }
}

/** Name of a job's machine: it follows from job and token alone. */
function machineName({ jobId, token }: ProviderContext): string {
  return `vm-${jobId}-${token}`;
}

export class ProviderDouble implements Provider {
  readonly platform = 'qemu';
  readonly #call: PlatformCall;
  readonly #doors: Parameters<CreateProvider>[0]['doors'];
  readonly #dataBytes: number;

  constructor(call: PlatformCall, doors: Parameters<CreateProvider>[0]['doors'], dataBytes = 1024) {
    this.#call = call;
    this.#doors = doors;
    this.#dataBytes = dataBytes;
  }

  async claim(): Promise<void> {
    await this.#call('claim');
  }

  async preflight(): Promise<Finding[]> {
    return (await this.#call('preflight')) as Finding[];
  }

  async describeSource() {
    return { serial: 'ips-source', virtualSize: VIRTUAL_SIZE, dataBytes: this.#dataBytes };
  }

  async startEngine(request: { userData: Buffer }, context: ProviderContext): Promise<void> {
    const name = machineName(context);
    const row = context.ledger.intent('vm', name, { removeWith: `destroy ${name}` });
    const open = context.ledger.open().map(({ kind }) => kind);
    await this.#doors.pass('platform', 'double.create', () =>
      this.#call('create', name, request.userData.toString('base64'), open),
    );
    if (row.state === 'intent') context.ledger.made(row, name);
  }

  async engineAddress(context: ProviderContext): Promise<EngineAddress | undefined> {
    return (await this.#call('address', machineName(context))) as EngineAddress | undefined;
  }

  async engineAlive(context: ProviderContext): Promise<boolean> {
    return (await this.#call('alive', machineName(context))) === true;
  }

  async removeUserData(context: ProviderContext): Promise<void> {
    await this.#doors.pass('platform', 'double.removeUserData', () =>
      this.#call('removeUserData', machineName(context)),
    );
  }

  async console(context: ProviderContext): Promise<string> {
    return String(await this.#call('console', machineName(context)));
  }

  hostSeenFromEngine(host: string): string {
    return host === '127.0.0.1' ? '10.0.2.2' : host;
  }

  async teardown(context: ProviderContext): Promise<void> {
    for (const row of context.ledger.open().reverse()) {
      if (row.kind !== 'vm') throw new Error(`the platform has no ${row.kind}`);
      const gone = await this.#doors.pass('platform', 'double.destroy', () => this.#call('destroy', row.name));
      if (gone === true) context.ledger.gone(row);
    }
  }

  async list() {
    return [];
  }
}
