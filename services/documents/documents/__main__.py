from chassis.service import main
from documents.app import service

main(service)
