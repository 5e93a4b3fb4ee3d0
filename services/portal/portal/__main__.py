from chassis.service import main
from portal.app import service

main(service)
