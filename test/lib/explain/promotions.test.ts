import { expect } from 'chai';
import { why, whyMath } from '../../../src/lib/app/explanations.js';
import { narrativeText } from '../../../src/lib/explain/render.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import { ACTOR } from '../canary/harness.js';
import { Bench, GATE, MODEL } from '../gates/promotion-place.js';

const ASKED = { modelId: MODEL, gate: GATE, dryRun: false, by: ACTOR };

describe('explanations of promotions', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.begin();
  });
  afterEach(() => bench.end());

  const tell = async (id: string) => narrativeText(await why({ ledger: bench.ledger, canaries: bench.canaries }, id));
  /** Times, durations and ids are those of this run. */
  const plain = (text: string) =>
    text
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'THEN')
      .replace(/\b\d\d:\d\d:\d\d\b/g, 'THEN')
      .replace(/after [\d.]+ s/g, 'after a while')
      .replace(/\bp-[a-z0-9]{8,}/g, 'p-this')
      .split('\n');

  it('tell who promoted a model, and on which evidence', async () => {
    const canaryId = await bench.canary('proved');
    await bench.rival();
    await bench.promotions().promote(ASKED);
    const story = await tell(MODEL);
    expect(plain(story)).to.include(
      `  THEN – entered production, promoted by ana (operating-system account) on the evidence of canary ${canaryId}, replacing rival.`,
    );
    expect(plain(await tell('rival'))).to.include(
      `  THEN – left production: replaced by ${MODEL}, promoted by ana (operating-system account) on the evidence of canary ${canaryId}.`,
    );
    const [rival] = await bench.canaries.list({ modelId: 'rival' });
    expect(await tell(rival!.subject)).to.match(
      /Since .* fraud-v2 holds production, promoted by ana \(operating-system account\) on the evidence of/,
    );
  });

  it('tell what stands on no evidence, and what was set by hand, as such', async () => {
    await bench.promotions({ requireCanary: false }).promote({ ...ASKED, by: { who: 'ai', how: 'loopback' } });
    expect(plain(await tell(MODEL))).to.include(
      '  THEN – entered production, promoted by ai (client on this machine) without evidence, as the configuration allows.',
    );
    const ts = new Date(Date.now() + 1000).toISOString();
    await setGate(bench.ledger, { gate: GATE, modelId: 'v3', canaryId: null, by: ACTOR, ts });
    expect(plain(await tell(MODEL))).to.include(
      '  THEN – left production: replaced by v3, set by ana (operating-system account).',
    );
  });

  it('tell every step of a promotion by its id', async () => {
    const canaryId = await bench.canary('proved');
    await bench.rival();
    const hooks = [bench.noting()];
    const { promotionId } = await bench.promotions({ hooks }).promote(ASKED);
    expect(plain(await tell(promotionId!))).to.deep.equal([
      'fraud-v2 was promoted into production.',
      '',
      'Request',
      '  ana (operating-system account) requested promotion p-this on THEN: fraud-v2 into production.',
      `  Its evidence is canary ${canaryId}.`,
      '  rival held production then.',
      '',
      'Actions',
      '  The promote hook "deploy" was called at THEN and finished after a while: exit code 0.',
      '  At THEN fraud-v2 became the holder of production, replacing rival.',
      '',
      'Next steps',
      '  Nothing to do.',
      `  For the canary: lukhas why ${canaryId}`,
    ]);
    const log = { ledger: bench.ledger, canaries: bench.canaries };
    expect((await whyMath(log, promotionId!)).id).to.equal(canaryId);
    const before = await why(log, promotionId!, { at: Date.parse('2026-01-01T00:00:00Z') });
    expect(before.about).to.equal('unknown');
  });

  it('tell of a failed hook, and of a promotion that is not complete, what to do', async () => {
    const failing = bench.promotions({ requireCanary: false, hooks: [bench.noting('process.exit(3)')] });
    const { promotionId } = await failing.promote(ASKED);
    const failed = plain(await tell(promotionId!));
    expect(failed[0]).to.equal('fraud-v2 was not promoted into production: a hook failed.');
    expect(failed).to.include.members([
      '  It has no evidence, as the configuration allows.',
      '  production was empty then.',
      '  Hook "deploy" failed: the hooks after it were not called and the gate did not change.',
      '  Fix the hook "deploy", then run: lukhas gate promote fraud-v2 production',
    ]);
    const killed = bench.dying('hook.finished', new Error('killed'));
    const dying = bench.promotions({ requireCanary: false, ledger: killed, hooks: [bench.noting()] });
    await dying.promote(ASKED).catch(() => undefined);
    const [open] = await bench.ledger.summaries({ type: 'promotion', open: true });
    const told = plain(await tell(open!.subject));
    expect(told[0]).to.equal('fraud-v2 is being promoted into production: not complete yet.');
    expect(told.join()).to.contain('its result is not recorded');
    expect(told).to.include('  If no process drives it: lukhas gate promote fraud-v2 production');
  });

  it('tell why a promotion was abandoned', async () => {
    await bench.canary('proved');
    await bench.rival();
    const killed = bench.dying('gate.changed', new Error('killed'));
    await bench
      .promotions({ ledger: killed })
      .promote(ASKED)
      .catch(() => undefined);
    await bench.canary('rolled back');
    const { promotionId } = await bench.promotions().promote(ASKED);
    const told = await tell(promotionId!);
    expect(told).to.match(/^fraud-v2 was not promoted into production: the promotion was abandoned\./);
    expect(told).to.contain('the gate or the evidence changed before it was carried out.');
  });
});
