import { expect } from 'chai';
import { why } from '../../../src/lib/explain/index.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { type Answer, type Silent, verdictOn, type Way } from './silent-service.js';

/** 60 checks. */
const POLICY = parsePolicy({ windowSeconds: 300, intervalSeconds: 5, targets: { max_error_rate: 0.02 } });
const WAYS: Record<string, Way> = {
  'its page': 'scrape',
  'a Prometheus that scrapes at each check': { prometheus: 5 },
  'a Prometheus that scrapes more often': { prometheus: 2 },
  'a Prometheus that scrapes at every third check': { prometheus: 15, late: 3 },
};
const short = ({ decision, certainty, reason }: Verdict) => `${decision} ${certainty} ${reason}`;
const from =
  (begin: number, answer: Answer) =>
  (second: number): Answer =>
    second >= begin ? answer : 'page';

describe('a canary seen through', () => {
  for (const [name, way] of Object.entries(WAYS))
    describe(name, () => {
      for (const how of ['refuse', '503'] as const)
        describe(`that answers with ${how}`, () => {
          const expectGone = async (answers: (second: number) => Answer) => {
            const verdict = await verdictOn({ answers }, way, POLICY);
            expect(short(verdict), why(verdict)).to.equal('rollback uncertified unavailable');
          };
          it('from the start is rolled back', () => expectGone(() => how));
          it('from the last quarter on is rolled back', () => expectGone(from(226, how)));
          it('at the last check is rolled back', () => expectGone(from(296, how)));
          it('since the moment before the last check is rolled back', () => expectGone(from(297, how)));
          it('half of the time is rolled back', () =>
            expectGone((second) => (second % 10 >= 3 && second % 10 <= 7 ? how : 'page')));

          const expectGood = async (answers: (second: number) => Answer) => {
            const verdict = await verdictOn({ answers }, way, POLICY);
            expect(short(verdict), why(verdict)).to.equal('promote certified certified_at_end');
          };
          it('at one of 60 checks is promoted', () =>
            expectGood((second) => (second > 150 && second <= 155 ? how : 'page')));
          it('at the last check, and then no more, is promoted', () =>
            expectGood((second) => (second > 296 && second <= 300 ? how : 'page')));
          it('while it starts is promoted', () => expectGood((second) => (second < 40 ? how : 'page')));
        });

      for (const how of ['empty', 'foreign'] as const) {
        const all = { 'from the start': 0, 'from the last quarter on': 226, 'at the last check': 296 };
        for (const [when, begin] of Object.entries(all))
          it(`whose page is ${how} ${when} is blocked`, async () => {
            const verdict = await verdictOn({ answers: from(begin, how) }, way, POLICY);
            expect(short(verdict), why(verdict)).to.equal('block undecided no_data');
          });
      }

      it('that restarts faster than it is checked is rolled back, where its page says when it began', async () => {
        for (const every of [3, 4.9]) {
          const verdict = await verdictOn({ startedAt: (t) => Math.floor(t / every) * every }, way, POLICY);
          expect(short(verdict), why(verdict)).to.equal('rollback uncertified restarts');
        }
      });

      it('that crashes each half minute is not promoted, though its page says nothing of its start', async () => {
        const crashing: Silent = {
          startedAt: (t) => Math.floor(t / 30) * 30,
          answers: (t) => (t % 30 > 24 ? 'refuse' : 'page'),
          namesStart: false,
        };
        expect((await verdictOn(crashing, way, POLICY)).decision).not.to.equal('promote');
      });

      it('whose traffic ends is blocked, and says since when', async () => {
        const verdict = await verdictOn({ served: (t, since) => 100 * (Math.min(t, 200) - since) }, way, POLICY);
        expect(short(verdict)).to.equal('block undecided coverage');
        expect(why(verdict)).to.match(/^no requests in the last \d+ s of .+, in which about [\d,]+ would have come/);
      });

      it('is blocked, not rolled back, where the baseline does not answer either', async () => {
        const verdict = await verdictOn({ answers: from(100, 'refuse'), baseline: from(100, 'refuse') }, way, POLICY);
        expect(short(verdict)).to.equal('block undecided source_unreachable');
      });
    });

  it('its page, which it accepts to answer and never does, is rolled back, and promoted where that happens once', async () => {
    const gone = await verdictOn({ answers: from(226, 'hang') }, 'scrape', POLICY);
    expect(short(gone), why(gone)).to.equal('rollback uncertified unavailable');
    const once: Silent = { answers: (second) => (second > 150 && second <= 155 ? 'hang' : 'page') };
    expect(short(await verdictOn(once, 'scrape', POLICY))).to.equal('promote certified certified_at_end');
  });

  describe('a Prometheus that scrapes once a minute', () => {
    const minute: Way = { prometheus: 60, late: 20 };
    const lasting = parsePolicy({
      windowSeconds: 600,
      intervalSeconds: 5,
      noDataSeconds: 200,
      targets: { max_error_rate: 0.02 },
    });

    it('may lose one scrape', async () => {
      const verdict = await verdictOn({ answers: (t) => (t > 285 && t < 295 ? 'refuse' : 'page') }, minute, lasting);
      expect(short(verdict), why(verdict)).to.equal('promote certified certified_at_end');
      expect(verdict.silence?.availability?.down).to.be.above(6);
    });

    it('is rolled back at the second one', async () => {
      const verdict = await verdictOn({ answers: from(240, 'refuse') }, minute, lasting);
      expect(short(verdict), why(verdict)).to.equal('rollback uncertified unavailable');
    });

    it('is not promoted before the scrape after the end', async () => {
      const good = await verdictOn({}, minute, lasting);
      expect([short(good), good.elapsedSeconds]).to.deep.equal(['promote certified certified_at_end', 650]);
      const dead = await verdictOn({ answers: from(595, 'refuse') }, minute, lasting);
      expect(dead.decision, why(dead)).not.to.equal('promote');
    });
  });
});
