import { mkdirSync, mkdtempSync, realpathSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { announcedId } from '../e2e/lukhas.js';
import { SmallDisk } from '../e2e/small-disk.js';
import { brief, checkEnd, checkOrphans, checkWorld } from './checks.js';
import type { Tally } from './tally.js';
import type { World } from './world.js';

/** Room that is left on the disk, KiB. */
const LEVELS = [0, 4, 8, 16, 32, 64, 128, 256];

/** At each level: canaries to both verdicts, and Ctrl-C while a job's program runs. */
export function diskTrials(tally: Tally, template: World): (() => Promise<boolean>)[] {
  return LEVELS.flatMap((level) => [
    () => onDisk(template, level, (world, free) => canaryAt(tally, level, world, free, 'good', 0)),
    () => onDisk(template, level, (world, free) => canaryAt(tally, level, world, free, 'bad', 3)),
    () => onDisk(template, level, (world, free, fill) => interruptedJob(tally, level, world, free, fill), 'later'),
  ]);
}

/** A copy of the world on a disk with so much room, now or when `fill` is called. */
async function onDisk(
  template: World,
  levelKib: number,
  run: (world: World, free: () => void, fill: () => void) => Promise<boolean>,
  when: 'now' | 'later' = 'now',
): Promise<boolean> {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'lukhas-chaos-disk-')));
  const disk = new SmallDisk(join(parent, 'disk'));
  const inside = join(disk.dir, 'world');
  mkdirSync(inside);
  const world = template.copy(inside);
  const fill = () => {
    const { bavail, bsize } = statfsSync(disk.dir);
    writeFileSync(join(disk.dir, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - levelKib * 1024)));
  };
  try {
    if (when === 'now') fill();
    return await run(world, () => disk.free(), fill);
  } finally {
    await world.remove();
    disk.unmount();
  }
}

async function canaryAt(
  tally: Tally,
  level: number,
  world: World,
  free: () => void,
  file: string,
  code: number,
): Promise<boolean> {
  const where = `disk with ${level} KiB left, canary start (${file})`;
  const gates = ['--from', 'stage', '--to', 'disk', '--max-error-rate', '0.02', '--window', '60s'];
  const args = ['canary', 'start', '--model', file, ...gates, '--source', 'ndjson', '--input', `${file}.ndjson`];
  const ended = await world.run(args);
  checkEnd(tally, where, ended, code);
  await checkOrphans(tally, where, world);
  free();
  const id = announcedId(ended.stderr);
  const again = await world.run(id === null ? args : ['canary', 'resume', id]);
  if (again.code !== code) tally.fault('wrong exit code', `${where}, with room again: ${again.code}: ${brief(again)}`);
  await checkWorld(tally, where, world);
  return true;
}

/** @returns false when the program of the job did not begin */
async function interruptedJob(
  tally: Tally,
  level: number,
  world: World,
  free: () => void,
  fill: () => void,
): Promise<boolean> {
  const where = `disk with ${level} KiB left, Ctrl-C of job run`;
  const running = world.start(['job', 'run', 'long']);
  for (let tries = 0; world.jobsBegun().length === 0 && tries < 400; tries++) await wait(50);
  const begun = world.jobsBegun().length > 0;
  fill();
  running.child.kill('SIGINT');
  const ended = await running.ended;
  if (!begun) return false;
  // That the disk is full as well is no reason to end with another code.
  checkEnd(tally, where, ended, 130, new Set());
  await checkOrphans(tally, where, world);
  free();
  await checkWorld(tally, where, world);
  return true;
}
