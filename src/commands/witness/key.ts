import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { printData } from '../../cli/screen.js';

export default class WitnessKey extends BaseCommand {
  static override summary = 'create the key of a witness, or print its public key';
  static override description =
    'Prints the vkey that log operators (evidence.witnesses) and auditors need. The name of a witness cannot be changed later.';
  static override examples = [
    '<%= config.bin %> witness key --db-dir /var/lib/lukhas-witness --name witness.example.com',
  ];
  static override flags = {
    'db-dir': Flags.string({
      description: "folder with the witness's key and its cosigned checkpoints",
      helpValue: 'DIR',
      required: true,
    }),
    name: Flags.string({
      description: 'name on its cosignatures (default: lukhas-witness/ and digits of its key)',
      helpValue: 'NAME',
    }),
    form: Flags.option({
      options: ['vkey', 'pem'] as const,
      description: 'format of the public key: vkey for lukhas and other C2SP programs, pem for openssl',
      default: 'vkey',
    })(),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(WitnessKey);
    const [{ initWitness }, { resolve }] = await Promise.all([
      import('../../lib/app/evidence/witness.js'),
      import('node:path'),
    ]);
    const identity = await initWitness(resolve(flags['db-dir']), flags.name ?? null);
    if (!this.jsonEnabled()) {
      printData(flags.form === 'pem' ? identity.pem : `${identity.vkey}\n`);
      if (identity.created) this.say(`Created ${identity.folder}/witness.pem. Keep it secret and back up the folder.`);
    }
    return identity;
  }
}
