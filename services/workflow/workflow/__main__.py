from chassis.service import main
from workflow.app import service

main(service)
