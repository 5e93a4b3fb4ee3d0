import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { failed, said } from '@/ui/toasts';
import { upload } from './upload';

type Running = { id: string; name: string; share: number; cancel: () => void };

/** Files on their way, one after the other so that each is quick; each shows its progress and can be stopped. */
export function useUploads(place: { client_id: string; job_id?: string }) {
  const queries = useQueryClient();
  const [running, setRunning] = useState<Running[]>([]);

  const send = async (file: File, id: string, signal: AbortSignal) => {
    const progress = (share: number) =>
      setRunning((all) => all.map((one) => (one.id === id ? { ...one, share } : one)));
    try {
      await upload(file, place, progress, signal);
      said(`${file.name} is here`);
    } catch (error) {
      if (!signal.aborted) failed(error);
    } finally {
      setRunning((all) => all.filter((one) => one.id !== id));
      queries.invalidateQueries({ queryKey: ['documents'] });
    }
  };

  const add = async (files: File[]) => {
    const queue = files.map((file) => ({ file, id: crypto.randomUUID(), stop: new AbortController() }));
    setRunning((all) => [
      ...all,
      ...queue.map(({ file, id, stop }) => ({ id, name: file.name, share: 0, cancel: () => stop.abort() })),
    ]);
    for (const { file, id, stop } of queue) await send(file, id, stop.signal);
  };

  return { running, add };
}
