def serve(runtime, arguments):
    raise NotImplementedError
