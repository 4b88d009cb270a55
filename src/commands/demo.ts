import { Flags } from '@oclif/core';
import { advice } from '../cli/advice.js';
import { BaseCommand } from '../cli/base-command.js';
import { presentCanary } from '../cli/present.js';
import { block } from '../cli/screen.js';
import type { Fault } from '../demo/index.js';
import { canaryJson } from '../lib/app/index.js';

const FAULTS: Fault[] = ['none', 'latency', 'errors', 'drift', 'crash'];

export default class Demo extends BaseCommand {
  static override summary = 'run a real canary on a small model service, without any set-up';
  static override description =
    'Starts a model service in two versions on loopback, sends real traffic to both, and runs a canary on the measurements. Needs no other software. Exit code 0 for any verdict.';
  static override examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo --healthy',
    '<%= config.bin %> demo --fault drift',
  ];
  static override flags = {
    fault: Flags.string({
      description: 'fault of the new version',
      options: FAULTS,
      default: 'errors',
      helpValue: 'FAULT',
    }),
    healthy: Flags.boolean({ description: 'no fault; same as --fault none', exclusive: ['fault'] }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Demo);
    const fault: Fault = flags.healthy ? 'none' : (flags.fault as Fault);
    const app = await this.app(flags);
    const { runDemo } = await import('../cli/run-demo.js');
    const demo = await runDemo(app, { fault, quiet: this.jsonEnabled(), noColor: flags['no-color'] });
    if (demo.interrupted !== null) {
      process.exitCode = demo.interrupted;
      this.say(
        demo.notAborted === undefined
          ? `lukhas: stopped the demo's services and aborted canary ${demo.canary.id}`
          : `lukhas: stopped the demo's services; canary ${demo.canary.id} was not aborted: ${demo.notAborted}`,
      );
      return canaryJson(demo.canary);
    }
    if (!this.jsonEnabled()) {
      this.log(block(['', presentCanary(demo.canary, flags['no-color']), '']));
      this.log(`Traffic sent: ${demo.sent.canary} requests to fraud-v2, ${demo.sent.baseline} to fraud-v1.\n`);
      this.log('Next:');
      const next = nextCommands(demo.canary.id, fault).map(
        ([command, what]) => [advice(`lukhas ${command}`), what] as const,
      );
      const width = Math.max(...next.map(([command]) => command.length));
      for (const [command, what] of next) this.log(`  npx ${command.padEnd(width)}  ${what}`);
    }
    return { ...canaryJson(demo.canary), fault, sent: demo.sent };
  }
}

function nextCommands(id: string, fault: Fault): [string, string][] {
  return [
    [`why ${id}`, 'what happened and why, from the log'],
    [`why-math ${id}`, 'the numbers, recomputed'],
    ['verify', 'check the whole log'],
    ['gate list', 'the current holder of each gate'],
    fault === 'none' ? ['demo', 'the same with a faulty version'] : ['demo --healthy', 'the same with a good version'],
    ['serve --demo', 'the cockpit: http://127.0.0.1:8766/cockpit.html'],
  ];
}
