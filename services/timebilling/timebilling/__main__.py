from chassis.service import main
from timebilling.app import service

main(service)
