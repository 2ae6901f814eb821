from tests.engine.conftest import *
from nthlayer_sync.engine.guards import Consent
MANY = Consent(deletes=99, updates=99)
async def test_x(house):
    house.commit_first("foreign/whole.txt","not yours\n")
    async def settle():
        for _ in range(2):
            p=await house.plan(consent=MANY,enforce=True); print("plan", await house.actions(p)); print([ (str(r.id),str(r.outcome),r.reason) for r in await house.apply(p)])
    house.service("b","one","T1",central={"root":str(house.remote),"folder":"z/b"})
    await settle()
    house.commit("z/b/block.md","note 0\n"+house.file("z/b/block.md"))
    for _ in range(5): await settle()
    house.service("c","one","T2",central={"root":str(house.remote),"folder":"x/c"})
    await house.apply(await house.plan())
    house.commit("x/c/block.md",None)
    print("----")
    await settle()
    print(house.git_files()); assert 0
