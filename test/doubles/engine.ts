/**
 * A scripted engine: a real TLS-PSK server that speaks protocol/engine.ts and plays a task's events. It reads no disk
 * and writes a made-up file into the share double.
 *
 * What it cannot show: that a real agent behaves so, how long anything takes, that bytes are right; it has no deadline
 * clock and no power.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import {
  BOOT_ID_HEADER,
  BOOT_IDENTITY,
  commitRequestSchema,
  deadlineRequestSchema,
  ENGINE_TLS,
  type EngineEventBody,
  type EngineTask,
  engineTaskSchema,
  SESSION_IDENTITY,
  sessionRequestSchema,
  type UserData,
} from '../../src/protocol/engine.ts';
import { type ErrorCode, IpsError, toIpsError } from '../../src/protocol/errors.ts';
import type { ShareDouble } from './share.ts';

/** Where a script can hold the engine until `release` is called for it. */
export type Gate = 'copy' | 'verify' | 'commit';

export interface EngineScript {
  holdAt?: Gate | undefined;
  failWith?: ErrorCode | undefined;
  /** Destroys the connection of the first commit after (or before) the rename took place, or of each before. */
  breakCommit?: 'before' | 'after' | 'always' | undefined;
  /** What the file server answers to the first commits. */
  commitFails?: readonly ErrorCode[] | undefined;
  /** A cancel does not remove the partial file, and says so. */
  cannotDiscard?: boolean | undefined;
  /** Sends no answer at all: the port takes connections and closes them. */
  mute?: boolean | undefined;
}

/** Size of the file that it makes, in bytes. */
export const MADE_FILE_BYTES = 4096;

export class EngineDouble {
  readonly bootId: string;
  readonly requests: string[] = [];
  tasksStarted = 0;
  deadlines: number[] = [];
  readonly #script: EngineScript;
  readonly #share: ShareDouble;
  readonly #bootKey: Buffer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #events: { seq: number; bootId: string; body: EngineEventBody }[] = [];
  #sessionKey: Buffer | undefined;
  #task: EngineTask | undefined;
  #state: 'idle' | 'running' | 'verified' | 'refused' | 'committed' | 'failed' | 'cancelled' = 'idle';
  #changed = Promise.withResolvers<void>();
  #gates = new Map<Gate, PromiseWithResolvers<void>>();
  #commits = 0;

  constructor(userData: UserData, script: EngineScript, share: ShareDouble, bootId: string) {
    this.bootId = bootId;
    this.#script = script;
    this.#share = share;
    this.#bootKey = Buffer.from(userData.bootKey, 'hex');
    const http = createHttpServer((request, response) => void this.#serve(request, response));
    this.#server = createServer(
      {
        ...ENGINE_TLS,
        pskCallback: (_socket, identity) => {
          if (identity === SESSION_IDENTITY) return this.#sessionKey ?? null;
          return identity === BOOT_IDENTITY && !this.#sessionKey ? this.#bootKey : null;
        },
      },
      (socket) => {
        socket.on('error', () => undefined);
        http.emit('connection', socket);
      },
    );
    // From the first packet on, so that whoever cuts them hits those in their handshake too.
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => undefined);
    if (script.mute) this.#server.prependListener('connection', (socket) => socket.destroy());
    if (script.holdAt) this.#gates.set(script.holdAt, Promise.withResolvers());
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Power off, hard: whatever it was doing stays as it is. */
  async powerOff(): Promise<void> {
    this.#state = this.#state === 'running' ? 'failed' : this.#state;
    this.#gates.clear();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Cuts every connection; the engine goes on. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets the engine go on past the gate it holds at. */
  release(): void {
    for (const gate of this.#gates.values()) gate.resolve();
  }

  #emit(body: EngineEventBody): void {
    this.#events.push({ seq: this.#events.length + 1, bootId: this.bootId, body });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://engine');
    const what = `${request.method} ${url.pathname}`;
    this.requests.push(what);
    response.setHeader(BOOT_ID_HEADER, this.bootId);
    try {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      await this.#answer(what, text === '' ? {} : JSON.parse(text), url, response);
    } catch (error) {
      const failure = toIpsError(error);
      response.statusCode = failure.status;
      response.end(JSON.stringify(failure.report()));
    }
  }

  async #answer(what: string, body: unknown, url: URL, response: ServerResponse): Promise<void> {
    const status = { bootId: this.bootId, engineVersion: 'double' };
    switch (what) {
      case 'PUT /v1/session':
        this.#sessionKey = Buffer.from(sessionRequestSchema.parse(body).sessionKey, 'hex');
        response.end(JSON.stringify(status));
        return;
      case 'GET /v1/status':
        response.end(JSON.stringify(status));
        return;
      case 'PUT /v1/task':
        this.#start(engineTaskSchema.parse(body));
        response.end(JSON.stringify(status));
        return;
      case 'PUT /v1/deadline':
        this.deadlines.push(deadlineRequestSchema.parse(body).seconds);
        response.end(JSON.stringify(status));
        return;
      case 'GET /v1/events':
        await this.#stream(Number(url.searchParams.get('after')), response);
        return;
      case 'POST /v1/cancel':
        if (this.#state === 'refused') {
          this.#state = 'failed';
          this.#share.remove(this.#names().partialName);
          this.#emit({ kind: 'failed', error: new IpsError('TARGET_EXISTS').report() });
        } else if (this.#state === 'running' || this.#state === 'verified') {
          this.#state = 'cancelled';
          if (this.#script.cannotDiscard) this.#emit({ kind: 'cancelled', partialLeft: true });
          else {
            this.#share.remove(this.#names().partialName);
            this.#emit({ kind: 'cancelled' });
          }
        }
        response.end(JSON.stringify(status));
        return;
      case 'POST /v1/commit':
        await this.#commit(commitRequestSchema.parse(body).token, response);
        return;
      case 'POST /v1/finish':
        response.end(JSON.stringify(status));
        return;
      default:
        throw new IpsError('NOT_FOUND', what);
    }
  }

  #names(): EngineTask['target'] {
    if (!this.#task) throw new IpsError('ENGINE_REFUSED', 'There is no task.');
    return this.#task.target;
  }

  #start(task: EngineTask): void {
    if (this.#task) return;
    this.#task = task;
    this.#state = 'running';
    this.tasksStarted += 1;
    void this.#play();
  }

  async #play(): Promise<void> {
    const { partialName } = this.#names();
    const running = () => this.#state === 'running';
    this.#emit({ kind: 'step', step: 'copy' });
    this.#share.write(partialName, MADE_FILE_BYTES);
    this.#emit({
      kind: 'progress',
      step: 'copy',
      bytesDone: 512,
      bytesTotal: 1024,
      bytesRead: 512,
      bytesSkipped: 0,
      bytesWritten: 512,
      rate: 256,
    });
    await this.#gates.get('copy')?.promise;
    if (!running()) return;
    this.#emit({ kind: 'step', step: 'verify' });
    await this.#gates.get('verify')?.promise;
    if (!running()) return;
    if (this.#script.failWith) {
      this.#state = 'failed';
      this.#share.remove(partialName);
      this.#emit({ kind: 'failed', error: new IpsError(this.#script.failWith).report() });
      return;
    }
    this.#state = 'verified';
    this.#emit({
      kind: 'verified',
      verified: {
        virtualSize: 1024,
        fileSize: MADE_FILE_BYTES,
        hashes: [{ algorithm: 'content/sha256-4m', scope: 'copy', value: 'ab'.repeat(32) }],
        allocationDigest: 'cd'.repeat(32),
        filterVersion: '1',
        bytesRead: 1024,
        bytesSkipped: 0,
        bytesWritten: 1024,
      },
    });
  }

  async #commit(token: string, response: ServerResponse): Promise<void> {
    const { fileName, partialName } = this.#names();
    this.#commits += 1;
    if (token !== this.#task?.token) throw new IpsError('ENGINE_REFUSED', 'Another token.');
    if (this.#state === 'cancelled') throw new IpsError('JOB_CANCELLED');
    if (this.#script.breakCommit === 'always' || (this.#script.breakCommit === 'before' && this.#commits === 1)) {
      response.destroy();
      return;
    }
    const failure = this.#script.commitFails?.[this.#commits - 1];
    if (failure) throw new IpsError(failure);
    await this.#gates.get('commit')?.promise;
    if (this.#state === 'verified') {
      if (!this.#share.rename(partialName, fileName)) {
        // The partial file stays until the connector, which is told, says that it is over.
        this.#state = 'refused';
        throw new IpsError('TARGET_EXISTS');
      }
      this.#state = 'committed';
      this.#emit({ kind: 'committed' });
    }
    if (this.#state !== 'committed') throw new IpsError('ENGINE_REFUSED', `It is ${this.#state}.`);
    if (this.#script.breakCommit === 'after' && this.#commits === 1) response.destroy();
    else response.end(JSON.stringify({ committed: true }));
  }

  async #stream(after: number, response: ServerResponse): Promise<void> {
    response.setHeader('content-type', 'application/x-ndjson');
    response.flushHeaders();
    let over = false;
    const closed = new Promise<void>((resolve) => {
      response.once('close', () => {
        over = true;
        resolve();
      });
    });
    for (let sent = after; !over; ) {
      for (const event of this.#events.slice(sent)) response.write(`${JSON.stringify(event)}\n`);
      sent = Math.max(sent, this.#events.length);
      await Promise.race([this.#changed.promise, closed]);
    }
  }
}
