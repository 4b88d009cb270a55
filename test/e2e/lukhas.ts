import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { StoredEvent } from '../../src/lib/ledger/events.js';
import type { Ledger } from '../../src/lib/ledger/ledger.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin', 'run.js');

/** How one process of the command line ended. */
export interface Run {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  finished: Promise<Run>;
  /** Resolves when the pattern was printed on stderr; rejects when the process ends without it. */
  says(pattern: RegExp): Promise<void>;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Given on standard input, which is otherwise empty. */
  input?: string;
  /** The Node.js to start it with; that of the tests when left out. */
  node?: string;
  /** In a process group of its own. */
  detached?: boolean;
}

/** A folder of its own with a database, and no configuration but what is put in it. */
export class Workspace {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-e2e-')));
  readonly db = join(this.dir, 'lukhas.db');
  private readonly running = new Set<Running>();

  constructor() {
    mkdirSync(join(this.dir, 'home'));
  }

  /** @returns the file's path */
  file(name: string, text: string | Uint8Array): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts `lukhas` as a user would, with nothing of this process's environment that it reads. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    return this.spawn(options.node ?? process.execPath, [BIN, ...args], options);
  }

  /** The same in a process that may have so many files open. */
  startWithin(files: number, args: readonly string[], options: RunOptions = {}): Running {
    const script = 'ulimit -n "$0"; exec "$@"';
    return this.spawn('/bin/sh', ['-c', script, String(files), process.execPath, BIN, ...args], options);
  }

  /** The same in a pid namespace of its own, as in another container with the name of this host: there its pid is 1. Needs root. */
  startApart(args: readonly string[], options: RunOptions = {}): Running {
    const apart = ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath, BIN];
    return this.spawn('unshare', [...apart, ...args], options);
  }

  /** As another account, with its group and no other. Needs root. */
  runAs(uid: number, args: readonly string[], options: RunOptions = {}): Promise<Run> {
    const account = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    return this.spawn('setpriv', [...account, process.execPath, BIN, ...args], options).finished;
  }

  /** Runs what a user would paste into a shell; `lukhas` is this one. */
  shell(command: string): Promise<Run> {
    const script = 'node=$1 bin=$2; lukhas() { "$node" "$bin" "$@"; }; eval "$3"';
    return this.spawn('/bin/sh', ['-c', script, 'sh', process.execPath, BIN, command], {}).finished;
  }

  private spawn(program: string, args: readonly string[], options: RunOptions): Running {
    const child = spawn(program, args, {
      cwd: options.cwd ?? this.dir,
      env: { ...this.environment(), ...options.env },
      detached: options.detached ?? false,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    const finished = new Promise<Run>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.running.delete(running);
        resolve({ code, stdout, stderr });
      });
    });
    const says = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => pattern.test(stderr) && resolve();
        child.stderr.on('data', look);
        look();
        void finished.then((run) => reject(new Error(`ended (${run.code}) without ${pattern}: ${run.stderr}`)), reject);
      });
    const running: Running = { child, finished, says };
    this.running.add(running);
    return running;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    return this.start(args, options).finished;
  }

  environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: join(this.dir, 'home'),
      LUKHAS_MCP_DB: this.db,
    };
  }

  /** The document that `--json` prints. */
  async json(args: readonly string[], options: RunOptions = {}): Promise<Record<string, unknown>> {
    return onlyDocument(await this.run([...args, '--json'], options));
  }

  /** What the log holds, read by the library and not by the command line. */
  async events(subject?: string): Promise<StoredEvent[]> {
    return this.read((ledger) => ledger.events(subject === undefined ? {} : { subject }));
  }

  async read<T>(reading: (ledger: Ledger) => Promise<T>): Promise<T> {
    const ledger = await openLedger(this.db, { readOnly: true });
    try {
      return await reading(ledger);
    } finally {
      await ledger.close();
    }
  }

  async remove(): Promise<void> {
    const left = [...this.running];
    for (const { child } of left) child.kill('SIGKILL');
    await Promise.allSettled(left.map(({ finished }) => finished));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Waits until nothing listens on a port that a document names: files of tests run side by side. */
export async function portFree(port: number): Promise<void> {
  const taken = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  while (await taken()) await wait(200);
}

/** Exactly one JSON document on stdout, and nothing else there. */
export function onlyDocument(run: Run): Record<string, unknown> {
  try {
    return JSON.parse(run.stdout) as Record<string, unknown>;
  } catch {
    throw new Error(`not one JSON document on stdout (exit ${run.code}): ${run.stdout}\n${run.stderr}`);
  }
}

/** The id that `canary start` announces on stderr; null where it did not. */
export function announcedId(stderr: string): string | null {
  return /^started (c-[a-z0-9]+)/m.exec(stderr)?.[1] ?? null;
}

/** The id that `canary start` announces. */
export function canaryId(run: Run): string {
  const id = announcedId(run.stderr);
  if (id === null) throw new Error(`no canary was started (exit ${run.code}): ${run.stderr}${run.stdout}`);
  return id;
}

/** A refusal as a user should see it: the first line of stderr says it, without the program's insides. */
export function firstLine(run: Run): string {
  const [line = ''] = run.stderr.split('\n');
  expectNoInsides(run);
  return line;
}

/** What no user should see: a stack trace, and the words of a program that failed by itself. */
export const INSIDES = /^\s+at .*[:(]\d+:\d+\)?$|node:internal|\[object |internal error|UnhandledPromise|Warning:/m;

export function expectNoInsides({ stdout, stderr }: Run): void {
  expect(stdout + stderr).not.to.match(INSIDES);
}
