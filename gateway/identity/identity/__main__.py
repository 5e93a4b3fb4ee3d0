from chassis.service import main
from identity.app import service

main(service)
