import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from '../delivery/delivery.ts';
import { MetronomeError } from '../errors.ts';

const POLL_MS = 20;

/**
 * Resolves when few enough events wait to be delivered.
 *
 * @throws MetronomeError `unavailable` when the store takes nothing for now.
 */
export async function awaitDelivery(
  delivery: Pick<Delivery, 'status'>,
  isEnough: (waiting: number) => boolean,
): Promise<void> {
  while (!isEnough(delivery.status.waiting)) {
    const { state, lastError = 'the collector is stopping' } = delivery.status;
    if (state === 'retrying' || state === 'stopped') {
      const message = `Events still wait to be delivered, and cannot be now: ${lastError}`;
      throw new MetronomeError('unavailable', message);
    }
    await delay(POLL_MS);
  }
}
