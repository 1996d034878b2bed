"""`twistd golem`. Every twistd in this environment loads this file, so it imports nothing of golem."""

from twisted.application.service import ServiceMaker

golem = ServiceMaker("golem", "golem.twistd", "A node of the computing market.", "golem")
