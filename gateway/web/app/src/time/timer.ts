import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { components } from '@/api/generated/timebilling';
import { answerOf, body } from '@/api/http';
import { timebilling } from '@/api/services';
import { clock } from '@/lib/durations';
import { said } from '@/ui/toasts';
import { timeChanged } from './api';

type Schemas = components['schemas'];
export type Timer = Schemas['Timer'];

/** My running timer, or null. Another tab may have started or stopped it, so it is asked again whenever this one is looked at. */
export const timerQuery = () =>
  queryOptions({
    queryKey: ['time', 'timer'],
    queryFn: () => body(timebilling.GET('/timer')).then(({ timer }) => timer),
    refetchOnWindowFocus: 'always',
  });

/** An act on the timer answers how it stands; what it logged is told, since it happens by the way. */
function useTimerAct<Given>(act: (given: Given) => Promise<Schemas['TimerMoved']>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: ({ timer, logged }) => {
      queries.setQueryData(timerQuery().queryKey, timer);
      if (logged) said(`${clock(logged.seconds)} logged on ${logged.job_title}`);
    },
    onSettled: () => timeChanged(queries),
  });
}

export const useStartTimer = () =>
  useTimerAct((given: Schemas['TimerStart']) => body(timebilling.POST('/timer/start', { body: given })));

export const useStopTimer = () =>
  useTimerAct((given: Schemas['TimerStop']) => body(timebilling.POST('/timer/stop', { body: given })));

export const useDiscardTimer = () =>
  useTimerAct(async ({ version }: Timer) => {
    await answerOf(timebilling.DELETE('/timer', { params: { header: { 'If-Match': `"${version}"` } } }));
    return { timer: null, logged: null };
  });
