import { useState, type ReactNode } from 'react';
import { Button, Dialog, DialogBody, DialogFooter, DialogHeader, DialogTrigger, Flex, TextField } from '@backstage/ui';
import type { NthlayerError } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Trouble } from '../shown/Trouble';

type Props = {
  /** What the button says, and the heading of the dialog. */
  label: string;
  title: string;
  children: ReactNode;
  /** The question for a reason; none is asked without. */
  reason?: string;
  variant?: 'primary' | 'secondary';
  pending: boolean;
  error: NthlayerError | undefined;
  /** Does it; the dialog closes where it went well. */
  confirm: (reason: string) => Promise<boolean>;
};

/** A button that asks once more before it does something. */
export function Confirm({ label, title, children, reason, variant = 'secondary', pending, error, confirm }: Props) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const missing = reason !== undefined && said.trim() === '';
  const doIt = async () => {
    if (await confirm(said.trim())) {
      setOpen(false);
      setSaid('');
    }
  };
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <Button variant={variant} size="small">
        {label}
      </Button>
      <Dialog width={520}>
        <DialogHeader>{title}</DialogHeader>
        <DialogBody>
          <Flex direction="column" gap="3">
            <div>{children}</div>
            {reason !== undefined && <TextField label={reason} value={said} onChange={setSaid} isRequired maxLength={500} />}
            {error && <Trouble error={error} title="It was not done" />}
          </Flex>
        </DialogBody>
        <DialogFooter>
          <Button variant="secondary" slot="close">
            Cancel
          </Button>
          <Button variant="primary" onPress={doIt} isDisabled={missing} isPending={pending}>
            {label}
          </Button>
        </DialogFooter>
      </Dialog>
    </DialogTrigger>
  );
}
