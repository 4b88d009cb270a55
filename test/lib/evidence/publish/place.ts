import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LukhasError } from '../../../../src/lib/errors.js';
import { anchor } from '../../../../src/lib/evidence/publish/anchor.js';
import type { AnchorTarget } from '../../../../src/lib/evidence/publish/target.js';
import { ALICE } from '../signers.js';
import { GrownLog } from '../tree/grown-log.js';

export const ORIGIN = 'example.com/canaries';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A folder, a log of three entries to anchor, and a server where a test wants one. */
export class AnchorPlace {
  readonly log = new GrownLog(ORIGIN, ALICE).grow(3);
  private server: Server | null = null;

  private constructor(readonly dir: string) {}

  static async make(): Promise<AnchorPlace> {
    return new AnchorPlace(await mkdtemp(join(tmpdir(), 'lukhas-anchors-')));
  }

  async remove(): Promise<void> {
    this.stopServing();
    await rm(this.dir, { recursive: true, force: true });
  }

  async kept() {
    return { origin: ORIGIN, ...(await this.log.root()), note: this.log.note() };
  }

  env(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: this.dir, GIT_CONFIG_NOSYSTEM: '1' };
  }

  /** Anchors the log as it is now. */
  async tell(target: AnchorTarget): Promise<string> {
    const options = { now: () => NOW, env: this.env(), owner: null, folder: join(this.dir, 'checkpoints') };
    return anchor(target, await this.kept(), options);
  }

  async failure(target: AnchorTarget): Promise<LukhasError> {
    const outcome: unknown = await this.tell(target).catch((error: unknown) => error);
    if (outcome instanceof LukhasError) return outcome;
    throw new Error(`did not fail: ${String(outcome)}`);
  }

  run(program: string, ...args: string[]): string {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    return execFileSync(program, args, { cwd: this.dir, env: this.env(), encoding: 'utf8', stdio });
  }

  async serve(listener: RequestListener): Promise<string> {
    this.stopServing();
    const server = createServer(listener).listen(0, '127.0.0.1');
    this.server = server;
    await new Promise((done) => server.once('listening', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
  }

  private stopServing(): void {
    this.server?.closeAllConnections();
    this.server?.close();
    this.server = null;
  }
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}
