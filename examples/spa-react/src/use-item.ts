import { setItem } from '@metronome/sdk';
import { useLayoutEffect } from 'react';
import { useLocation } from 'react-router';

/**
 * Says what the page is about; without it, that is its path.
 *
 * It is said for each location, because the SDK forgets it when the address changes, and before
 * the paint, because a view waits for its item for a moment only. Saying it twice changes nothing.
 */
export const useItem = (item: string | undefined): void => {
  const location = useLocation();
  useLayoutEffect(() => setItem(item), [item, location]);
};
