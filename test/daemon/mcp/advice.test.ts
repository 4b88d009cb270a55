import { expect } from 'chai';
import { toolAdvice } from '../../../src/daemon/mcp/advice.js';
import { chooseTools } from '../../../src/daemon/mcp/tools/catalogue.js';

const ALL = new Set(chooseTools({}).map(({ name }) => name));
const read = new Set(chooseTools({ readOnly: true }).map(({ name }) => name));

describe('advice for those who have tools and no shell', () => {
  it('names the tool that does what a command does, with its arguments', () => {
    const cases: [string, string][] = [
      ['Check it: lukhas job status j-1', 'Check it: status {"jobId":"j-1"}'],
      ['List them: lukhas canary list', 'List them: list_canaries'],
      [
        '1 older canary not shown: lukhas canary list --model m',
        '1 older canary not shown: list_canaries {"modelId":"m"}',
      ],
      ['Run `lukhas verify --db FILE` to see every problem.', 'Call verify_log to see every problem.'],
      ['Fix it, then run: lukhas job run drift', 'Fix it, then call run_eval {"taskId":"drift"}'],
      [
        'Wait for it (lukhas canary status c-1) or end it (lukhas canary abort c-1 --reason "...").',
        'Wait for it (canary_status {"canaryId":"c-1"}) or end it (abort_canary {"canaryId":"c-1","reason":"..."}).',
      ],
      [
        'Start a canary: lukhas canary start --model m --from GATE --to eu/production',
        'Start a canary: start_canary {"modelId":"m","fromGate":"GATE","toGate":"eu/production"}',
      ],
      ['To see who entered the gate: lukhas gate history g', 'To see who entered the gate: fetch {"id":"gate:g"}'],
      ['Why: lukhas why c-1.', 'Why: why {"id":"c-1"}.'],
      ['Send more. lukhas plan computes both for a policy.', 'Send more. plan computes both for a policy.'],
      ['Wait. lukhas why-math shows which checks lack it.', 'Wait. why_math shows which checks lack it.'],
    ];
    for (const [said, expected] of cases) expect(toolAdvice(said, ALL)).to.equal(expected);
  });

  it('leaves to the operator what no tool does, and what is not offered', () => {
    const cases: [string, string, ReadonlySet<string>][] = [
      [
        'The listing lacks 2 of 5 canaries: run lukhas db rebuild.',
        'The listing lacks 2 of 5 canaries: ask the operator to run `lukhas db rebuild`.',
        ALL,
      ],
      ['Run `lukhas doctor`.', 'Ask the operator to run `lukhas doctor`.', ALL],
      [
        'Promote it anyway: lukhas canary promote c-1 --reason "..."',
        'Promote it anyway: ask the operator to run `lukhas canary promote c-1 --reason "..."`',
        ALL,
      ],
      ['To stop it: lukhas canary abort c-1', 'To stop it: ask the operator to run `lukhas canary abort c-1`', read],
    ];
    for (const [said, expected, offered] of cases) expect(toolAdvice(said, offered)).to.equal(expected);
  });

  it('names arguments where a flag is advised, and changes nothing else', () => {
    expect(toolAdvice('To start all the same, pass --allow-shared-series; it is recorded.', ALL)).to.equal(
      'To start all the same, pass allowSharedSeries: true; it is recorded.',
    );
    expect(toolAdvice('start the canary again without --dry-run.', ALL)).to.equal(
      'start the canary again with dryRun: false.',
    );
    expect(toolAdvice('Is it in another database? Pass --db or set LUKHAS_MCP_DB.', ALL)).to.equal(
      'For the operator: Is it in another database? Pass --db or set LUKHAS_MCP_DB.',
    );
    for (const text of ['', 'lukhas is stopping', 'a running lukhas serve does it too', 'Nothing to do.'])
      expect(toolAdvice(text, ALL)).to.equal(text);
  });
});
