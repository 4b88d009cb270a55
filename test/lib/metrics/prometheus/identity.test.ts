import { expect } from 'chai';
import { BY_VERSION, Looked, NOTHING } from './given.js';

const POD = { job: 'm', instance: 'a:1' };
const OTHER = { job: 'm', instance: 'b:1' };
const V2 = { version: 'v2' };
const ERRORS = {
  ...NOTHING,
  requests: 'r_total',
  errors: { count: 'r_total{code=~"5.."}', absent: 'no_data' as const },
};
const IDENTITY = /^\{__name__=~"up\|process_start_time_seconds",job="m",instance=~?"([^"]*)"\}/;

describe('processes behind a Prometheus', () => {
  let given: Looked;
  beforeEach(async () => {
    given = await Looked.start();
  });
  afterEach(() => given.stop());

  it('count requests and failures out of one counter', async () => {
    const source = given.open({ signals: ERRORS });
    const [good, bad] = [
      { ...POD, ...V2, code: '200' },
      { ...POD, ...V2, code: '500' },
    ];
    given.add('r_total', good, [0, 100]);
    await given.look(source, 1);
    // The first failure: it has no series before, and none is no failure.
    given.add('r_total', good, [5, 150]);
    expect((await given.look(source, 6)).canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 50 });
    given.add('r_total', good, [10, 190]);
    given.add('r_total', bad, [10, 3]);
    expect((await given.look(source, 11)).canary.errors).to.deep.equal({ state: 'ok', bad: 3, total: 43 });
    expect(given.stub.queries.filter((query) => query.includes('r_total'))).to.have.length(3);
  });

  it('are up as their target is, by its own labels where the arms have those', async () => {
    const source = given.open({ signals: ERRORS });
    for (const pod of [POD, OTHER]) {
      given.add('r_total', { ...pod, ...V2, code: '200' }, [0, 100], [5, 110]);
      given.add('up', { ...pod, ...V2 }, [0, 1], [5, 1], [10, pod === POD ? 1 : 0]);
    }
    given.add('r_total', { ...POD, ...V2, code: '200' }, [10, 120]);
    await given.look(source, 1);
    const { canary, notes } = await given.look(source, 11);
    // What the one counted before it went down counts all the same.
    expect(canary).to.deep.include({ errors: { state: 'ok', bad: 0, total: 30 }, targets: { expected: 2, up: 1 } });
    expect(notes?.join()).to.match(/counts of \{instance="b:1",job="m"\} wait.*up is 0/);
    expect(given.stub.queries).to.have.length(2);
  });

  it('are not those of a proxy beside them', async () => {
    const source = given.open({ signals: ERRORS });
    given.add('r_total', { ...POD, ...V2, code: '200' }, [0, 100], [5, 110]);
    given.add('up', { ...POD, ...V2 }, [0, 1], [5, 1], [10, 0], [700, 0]);
    given.add('up', { job: 'proxy', instance: 'a:15020', ...V2 }, [0, 0], [5, 1], [10, 1], [700, 1]);
    // Another one of the service, which has never answered.
    given.add('up', { ...OTHER, ...V2 }, [0, 0], [5, 0], [10, 0]);
    expect((await given.look(source, 6)).canary.targets).to.deep.equal({ expected: 2, up: 1 });
    expect((await given.look(source, 11)).canary.targets).to.deep.equal({ expected: 2, up: 0 });
    expect((await given.look(source, 701)).canary.targets).to.deep.equal({ expected: 1, up: 0 });
  });

  it('are asked for by job and instance where the version is a label of the series alone', async () => {
    const source = given.open({ signals: ERRORS });
    given.add('r_total', { ...POD, ...V2, code: '200' }, [0, 100], [5, 110]);
    given.add('up', POD, [0, 1], [5, 1], [10, 0], [15, 0], [20, 0]);
    given.add('up', OTHER, [0, 1], [10, 0]);
    expect((await given.look(source, 1)).canary.targets).to.deep.equal({ expected: 1, up: 1 });
    expect(given.stub.queries.map((query) => IDENTITY.exec(query)?.[1])).to.deep.equal([undefined, 'a:1']);
    expect((await given.look(source, 6)).canary.errors).to.deep.include({ total: 10 });
    expect(given.stub.queries).to.have.length(4);
    const down = await given.look(source, 11);
    expect(down.canary.targets).to.deep.equal({ expected: 1, up: 0 });
    expect(down.canary.errors).to.deep.equal({
      state: 'unreachable',
      detail: '{instance="a:1",job="m"}: Prometheus cannot scrape it (up is 0)',
    });
    // Its series are out of reach by then.
    given.add('up', POD, [300, 0]);
    expect((await given.look(source, 301)).canary.targets).to.deep.equal({ expected: 1, up: 0 });
  });

  it('are not asked for again at once where there is no answer', async () => {
    const source = given.open({ signals: ERRORS });
    for (const second of [1, 6, 11, 16]) {
      given.add('r_total', { ...POD, ...V2, code: '200' }, [second - 1, 100 + second]);
      await given.look(source, second);
    }
    expect(given.stub.queries.filter((query) => IDENTITY.test(query))).to.have.length(1);
  });

  it('began when they say: a start within the look is a restart, however high it has counted since', async () => {
    const source = given.open({ signals: ERRORS });
    const series = { ...POD, ...V2, code: '200' };
    given.add('r_total', series, [0, 100], [5, 110], [10, 150]);
    given.add('process_start_time_seconds', POD, [0, 1_789_999_000], [5, 1_789_999_000], [10, 1_790_000_006]);
    given.add('up', POD, [0, 1], [5, 1], [10, 1]);
    await given.look(source, 1);
    const { canary } = await given.look(source, 11);
    expect(canary).to.deep.include({ errors: { state: 'ok', bad: 0, total: 10 + 150 }, restarts: 1 });
  });

  it('have no requests in flight once they are gone', async () => {
    const signals = { ...ERRORS, inflight: 'busy' };
    const source = given.open({ signals });
    for (let second = 0; second <= 12; second++) {
      given.add('r_total', { ...POD, ...V2, code: '200' }, [second, 100 + second]);
      given.add('busy', { ...POD, ...V2 }, [second, 0]);
      if (second > 5) continue;
      given.add('r_total', { ...OTHER, ...V2, code: '200' }, [second, 100 + second]);
      given.add('busy', { ...OTHER, ...V2 }, [second, second === 5 ? 24 : 1]);
    }
    const inflight = async (second: number) => (await given.look(source, second)).canary.inflight;
    expect([await inflight(3), await inflight(5), await inflight(7), await inflight(9)]).to.deep.equal([1, 24, 0, 0]);
    const last = await given.look(source, 11);
    expect(last.canary.targets).to.deep.equal({ expected: 1, up: 1 });
    expect(last.canary.errors).to.deep.include({ state: 'ok' });
  });

  it('lose a gauge that their page no longer has', async () => {
    const source = given.open({ signals: { ...ERRORS, inflight: 'busy' } });
    given.add('up', { ...POD, ...V2 }, [0, 1], [5, 1], [10, 1]);
    given.add('r_total', { ...POD, ...V2, code: '200' }, [0, 1], [5, 2], [10, 3]);
    given.add('busy', { ...POD, ...V2 }, [0, 7], [5, 7]);
    expect((await given.look(source, 6)).canary.inflight).to.equal(7);
    expect((await given.look(source, 11)).canary).not.to.have.property('inflight');
  });

  it('end where VictoriaMetrics says so, with NaN', async () => {
    const source = given.open({ signals: { ...ERRORS, inflight: 'busy' } });
    given.add('r_total', { ...POD, ...V2, code: '200' }, [0, 100], [5, 110], [10, 120], [15, 'NaN']);
    given.add('r_total', { ...OTHER, ...V2, code: '200' }, [0, 100], [5, 110], [10, 120], [15, 130]);
    given.add('busy', { ...POD, ...V2 }, [0, 3], [5, 3], [10, 3], [15, 'NaN']);
    await given.look(source, 6);
    const { canary } = await given.look(source, 16);
    expect(canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 10 + 20 });
    expect(canary).not.to.have.property('inflight');
  });

  it('count from the creation of a series where Prometheus gives it, as a sample of 0', async () => {
    const source = given.open({ signals: ERRORS });
    given.add('r_total', { ...POD, ...V2, code: '200' }, [0, 1000], [5, 1010], [10, 1020]);
    await given.look(source, 6);
    given.add('r_total', { ...OTHER, ...V2, code: '200' }, [7, 0], [10, 80]);
    expect((await given.look(source, 11)).canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 90 });
  });

  it('are told apart by job and instance', async () => {
    const source = given.open({ signals: ERRORS, arms: { canary: '{instance="a:1"}', baseline: '{instance="b:1"}' } });
    given.add('r_total', { ...POD, code: '200' }, [0, 100], [5, 110]);
    given.add('r_total', { ...OTHER, code: '200' }, [0, 500], [5, 600]);
    await given.look(source, 1, { withBaseline: true });
    const { canary, baseline } = await given.look(source, 6, { withBaseline: true });
    expect([canary.errors, baseline?.errors]).to.deep.equal([
      { state: 'ok', bad: 0, total: 10 },
      { state: 'ok', bad: 0, total: 100 },
    ]);
  });

  describe('of both arms', () => {
    const both = { withBaseline: true };

    it('are told apart by the version, also in one process', async () => {
      const source = given.open({ signals: ERRORS });
      given.add('r_total', { ...POD, version: 'v2', code: '200' }, [0, 100], [5, 110]);
      given.add('r_total', { ...POD, version: 'v1', code: '200' }, [0, 500], [5, 600]);
      await given.look(source, 1, both);
      const { canary, baseline } = await given.look(source, 6, both);
      expect(canary.errors).to.deep.include({ total: 10 });
      expect(baseline?.errors).to.deep.include({ total: 100 });
    });

    it('are no baseline where it holds the canary', async () => {
      const source = given.open({ signals: ERRORS, arms: { canary: '{version="v2"}', baseline: '{}' } });
      given.add('r_total', { ...POD, version: 'v2', code: '200' }, [0, 100]);
      given.add('r_total', { ...POD, version: 'v1', code: '200' }, [0, 500]);
      const { baseline } = await given.look(source, 1, both);
      expect(baseline?.errors).to.deep.include({ state: 'invalid' });
      expect(baseline?.errors)
        .to.have.property('detail')
        .that.matches(/^r_total\{.*version="v2"\} is in the canary and in the baseline/);
    });

    it('are apart where the baseline is all that the canary is not', async () => {
      const source = given.open({ signals: ERRORS, arms: { canary: '{version="v2"}', baseline: '{version!="v2"}' } });
      given.add('r_total', { ...POD, version: 'v2', code: '200' }, [0, 100], [5, 110]);
      given.add('r_total', { ...POD, version: 'v1', code: '200' }, [0, 500], [5, 600]);
      await given.look(source, 1, both);
      const { canary, baseline } = await given.look(source, 6, both);
      expect([canary.errors, baseline?.errors]).to.deep.equal([
        { state: 'ok', bad: 0, total: 10 },
        { state: 'ok', bad: 0, total: 100 },
      ]);
    });
  });

  it('begin to count anew after an update of lukhas', async () => {
    const source = given.open({ signals: ERRORS, arms: BY_VERSION });
    given.add('r_total', { ...POD, ...V2, code: '200' }, [0, 100]);
    const former = { at: 1, canary: { at: 1, requests: {}, errors: {} }, baseline: null };
    expect((await given.look(source, 1, { cursor: former })).canary.errors).to.deep.equal({ state: 'first' });
  });
});
