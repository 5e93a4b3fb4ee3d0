from chassis.service import main
from clients.app import service

main(service)
