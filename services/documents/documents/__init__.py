"""Files of clients and jobs: upload, versions, download."""
