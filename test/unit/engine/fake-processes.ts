/** Programs that a test plays: what was run is kept, what it gives is scripted. */
import { Doors } from '../../../src/lib/doors.ts';
import { Processes, type Ran, type RunOptions } from '../../../src/lib/processes.ts';

export interface Call {
  /** Program and arguments in one line. */
  line: string;
  options: RunOptions;
}

export class FakeProcesses extends Processes {
  readonly calls: Call[] = [];
  readonly #play: (call: Call) => Promise<Partial<Ran>>;

  /** @param play gives a program's end; whatever it leaves out is that of a good one */
  constructor(play: (call: Call) => Promise<Partial<Ran>> = async () => ({})) {
    super(new Doors());
    this.#play = play;
  }

  get lines(): string[] {
    return this.calls.map(({ line }) => line);
  }

  override async run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
    const call = { line: [program, ...args].join(' '), options };
    this.calls.push(call);
    return { code: 0, signal: undefined, stdout: '', stderr: '', ...(await this.#play(call)) };
  }
}

/** A program that hangs in the kernel: not even its own abort ends it. */
export function hangs(): Promise<never> {
  return new Promise(() => undefined);
}
