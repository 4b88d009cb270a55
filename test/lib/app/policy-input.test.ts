import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { composePolicy } from '../../../src/lib/app/policy-input.js';
import type { LukhasError } from '../../../src/lib/errors.js';

describe('a policy of a file and what a caller adds', () => {
  let dir: string;
  let file: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-policy-'));
    file = join(dir, 'policy.yaml');
    await writeFile(file, 'name: strict\nwindowSeconds: 600\ntargets: {latency_p95_ms: 250, max_error_rate: 0.02}\n');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const compose = (
    targets: Record<string, unknown>,
    more: { windowSeconds?: number; onlyTighten?: boolean; file?: string | null } = {},
  ) => composePolicy({ file, targets, where: 'arguments', suggestion: 'Give targets.', ...more });
  const refusal = (...args: Parameters<typeof compose>) =>
    compose(...args).then(
      () => expect.fail('it was accepted'),
      (error: LukhasError) => error,
    );

  it('keeps its name only as the file has it', async () => {
    const same = [{}, { max_error_rate: 0.02 }, { max_error_rate: undefined }];
    for (const targets of same) expect((await compose(targets, { windowSeconds: 600 })).policy.name).to.equal('strict');
    for (const targets of [{ max_error_rate: 0.01 }, { max_drift: 0.2 }])
      expect((await compose(targets)).policy.name).to.equal('strict (changed)');
    expect((await compose({}, { windowSeconds: 601 })).policy.name).to.equal('strict (changed)');
  });

  it('may be tightened by whoever may not loosen it', async () => {
    const targets = { max_error_rate: 0.01, latency_p95_ms: 250, max_drift: 0.9 };
    const { policy } = await compose(targets, { windowSeconds: 900, onlyTighten: true });
    expect(policy.targets).to.deep.equal({ ...targets, max_unavailable: 0.05 });
    expect(policy.windowSeconds).to.equal(900);
  });

  it('is not loosened, and says what is configured', async () => {
    const cases = [
      [{ max_error_rate: 0.021 }, undefined, /^max_error_rate: 0\.021 .*policy \(0\.02\); only the operator/],
      [{ latency_p95_ms: 250.5, max_error_rate: 0.01 }, undefined, /^latency_p95_ms: 250\.5 .*policy \(250\);/],
      [{}, 599, /^windowSeconds: 599 .*policy \(600\);/],
    ] as const;
    for (const [targets, windowSeconds, message] of cases) {
      const window = windowSeconds === undefined ? {} : { windowSeconds };
      const error = await refusal(targets, { ...window, onlyTighten: true });
      expect(error.code).to.equal('POLICY');
      expect(error.message).to.match(message);
      // The operator may.
      expect((await compose(targets, window)).policy.name).to.equal('strict (changed)');
    }
  });

  it('blames whoever gave what is wrong', async () => {
    expect((await refusal({}, { windowSeconds: 1 })).message).to.match(/^arguments: windowSeconds: /);
    expect((await refusal({}, { windowSeconds: 99_999_999, onlyTighten: true })).message).to.match(
      /^arguments: windowSeconds: /,
    );
    await writeFile(file, 'windowSeconds: 600\ntargets: {max_eror_rate: 0.02}\n');
    for (const targets of [{}, { max_drift: 0.2 }]) expect((await refusal(targets)).message).to.contain(file);
    expect((await refusal({ max_drift: 0.2 }, { onlyTighten: true })).message).to.contain(file);
  });

  it('needs no file, and has a window of 300 s then', async () => {
    expect((await compose({ max_drift: 0.2 }, { file: null, onlyTighten: true })).policy.windowSeconds).to.equal(300);
    expect((await refusal({}, { file: null })).code).to.equal('USAGE');
  });
});
