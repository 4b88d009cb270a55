import { Approvals } from '../../../src/lib/canary/approvals.js';
import type { Actor } from '../../../src/lib/ledger/events.js';
import { errors, HEALTHY } from '../canary/harness.js';
import type { Story } from './stories.js';

const TWO = { name: 'slo', targets: { max_error_rate: 0.02 }, noDataSeconds: 20, approvals: { required: 2 } };
const ONE = { ...TWO, approvals: { required: 1, expiresAfter: '2h' } };
const OLU: Actor = { who: 'olu', how: 'os-user' };
const KEY: Actor = { who: 'key 1f2e3d', how: 'api-key' };
const OK = { status: 200, body: 'traffic shifted' };

const people = (s: Story) => new Approvals(s.at.ledger, s.clock);
const minutes = (s: Story, n: number) => {
  s.clock.time += n * 60_000;
};

async function decided(s: Story, asked: Record<string, unknown>): Promise<void> {
  await s.holds('fraud-v1');
  await s.request(asked);
  await s.watch(() => HEALTHY);
  minutes(s, 10);
}

/** What people may make of a promotion that they are asked about, by the name of its golden text. */
export const APPROVAL_STORIES: Record<string, (s: Story) => Promise<void>> = {
  async 'awaiting-approval'(s) {
    await decided(s, TWO);
    await people(s).approve(s.id, OLU, 'the error rate is half of what we allow');
  },
  async 'approval-overtaken'(s) {
    await decided(s, TWO);
    await people(s).approve(s.id, OLU, 'better than v1');
    minutes(s, 5);
    await s.holds('fraud-v3');
  },
  async approved(s) {
    await decided(s, TWO);
    await people(s).approve(s.id, OLU, 'the error rate is half of what we allow');
    minutes(s, 5);
    await people(s).approve(s.id, KEY, 'change 4711 is signed off');
    await s.watch(() => HEALTHY, s.hook(OK));
  },
  async 'approval-lapsed'(s) {
    await decided(s, ONE);
    await people(s).approve(s.id, OLU, 'better than v1');
    minutes(s, 5);
    await s.holds('fraud-v3');
    await s.watch(() => HEALTHY, s.hook(OK));
  },
  async 'approval-too-late'(s) {
    await decided(s, ONE);
    await people(s).approve(s.id, OLU, 'better than v1');
    minutes(s, 180);
    await s.watch(() => HEALTHY, s.hook(OK));
  },
  async 'approval-lapsed-half-way'(s) {
    await decided(s, ONE);
    await people(s).approve(s.id, OLU, 'better than v1');
    const hooks = s.hook({ status: 403, body: 'not during the freeze' });
    await s.watch(() => HEALTHY, hooks);
    await s.holds('fraud-v3');
    await s.canaries.retry(s.id, OLU);
    await s.watch(() => HEALTHY, hooks);
  },
  async rejected(s) {
    await decided(s, ONE);
    await people(s).reject(s.id, OLU, 'not before the holiday');
  },
  async 'override-approved'(s) {
    await s.request(ONE);
    await s.watch(() => errors(0, 6));
    minutes(s, 10);
    await s.canaries.override(s.id, OLU, 'checked by hand with the fraud team');
    minutes(s, 10);
    await people(s).approve(s.id, KEY, 'change 4711 is signed off');
    await s.watch(() => HEALTHY, s.hook(OK));
  },
  async 'break-glass'(s) {
    await decided(s, TWO);
    await people(s).breakGlass(s.id, OLU, 'v1 refuses every payment, this version mends it');
    await s.watch(() => HEALTHY, s.hook(OK));
  },
  async 'break-glass-reviewed'(s) {
    await s.request(TWO);
    await s.watch(() => errors(0, 6));
    minutes(s, 2);
    await people(s).breakGlass(s.id, OLU, 'v1 refuses every payment, this version mends it');
    await s.watch(() => HEALTHY, s.hook(OK));
    minutes(s, 600);
    await people(s).review(s.id, KEY, 'it was needed: see incident 12');
  },
};
