import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of its own, 3 MiB small, in memory. Mounting takes root, as CI machines and containers have it. */
export class SmallDisk {
  private readonly filler: string;

  constructor(readonly dir: string) {
    mkdirSync(dir);
    this.mount('-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', dir);
    this.filler = join(dir, 'filler');
  }

  /** To the last byte. */
  fill(): void {
    const file = openSync(this.filler, 'a');
    try {
      for (let size = 1 << 20; size >= 1; size >>= 1) writeUntilFull(file, Buffer.alloc(size));
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.filler);
  }

  readOnly(): void {
    this.mount('-o', 'remount,ro', this.dir);
  }

  writable(): void {
    this.mount('-o', 'remount,rw', this.dir);
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.dir]);
  }

  private mount(...args: string[]): void {
    try {
      execFileSync('mount', args, { stdio: 'pipe' });
    } catch (cause) {
      throw new Error(`this test mounts a small disk and must run as root: mount ${args.join(' ')} failed`, { cause });
    }
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
