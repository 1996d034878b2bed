# pragma version 0.4.3
# pragma optimize gas
# pragma evm-version prague
"""
@title PairBank
@license Apache-2.0
@notice Pays many for little gas. Every pair of payer and payee has one slot, with all that was ever paid between the
        two; a payment names the new total, and the contract credits the difference. So what is sent twice pays once.
@dev No owner, no upgrade, no pause; ether leaves only to whom it belongs. Law, after every call:
     balance >= sum of free + sum of (paid - taken) + sum of reserves, equal unless ether was forced in.
     A payer's slot:  free u96 | seq u32 | unlock_at u64
     A pair's slot:   paid u96 | taken u96 | reserve_gwei u64
     Lowest bits first. No slot of a pair is ever zeroed once written: a new slot costs 22,100 gas, a used one 5,000.
"""

MAX_WORDS: constant(uint256) = 600  # existing pairs: 3.8 M gas, a quarter of what one transaction may use
MAX_PUSHED: constant(uint256) = 400  # each costs up to 45,000 gas: 15.8 M at worst, and one transaction may use 16.7 M
PUSH_GAS: constant(uint256) = 10_000  # what a payee's own code may burn of the payer's gas
UNLOCK_DELAY: constant(uint256) = 48 * 3600  # a payee that looks once in two days claims before a reserve is gone
WEI_PER_GWEI: constant(uint256) = 10**9
U32: constant(uint256) = 2**32 - 1
U64: constant(uint256) = 2**64 - 1
U96: constant(uint256) = 2**96 - 1
U160: constant(uint256) = 2**160 - 1

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
NAME_HASH: constant(bytes32) = keccak256("PairBank")
VERSION_HASH: constant(bytes32) = keccak256("1")
DUE_TYPE: constant(bytes32) = keccak256("Due(address payer,address payee,uint96 cumulative,uint64 dueBy)")
RELEASE_TYPE: constant(bytes32) = keccak256("Release(address payer,address payee,uint64 gwei,uint64 until)")

event Deposited:
    payer: indexed(address)
    amount: uint256

event Batch:
    payer: indexed(address)
    ref: indexed(bytes32)
    words: DynArray[bytes32, MAX_WORDS]

event Withdrawn:
    account: indexed(address)
    to: indexed(address)
    amount: uint256

event Reserved:
    payer: indexed(address)
    payee: indexed(address)
    reserve_gwei: uint256

event Unlocking:
    payer: indexed(address)
    unlock_at: uint256

event Defaulted:
    payer: indexed(address)
    payee: indexed(address)
    claimed: uint256
    credited: uint256

event Pushed:
    payer: indexed(address)
    ref: indexed(bytes32)
    seq: uint256
    words: DynArray[bytes32, MAX_PUSHED]

event Returned:
    payer: indexed(address)
    payee: indexed(address)
    amount: uint256

payer_slot: HashMap[address, uint256]
pair_slot: HashMap[address, HashMap[address, uint256]]


@external
@payable
def deposit():
    """
    @notice Add the ether sent to the caller's free balance.
    """
    slot: uint256 = self.payer_slot[msg.sender]
    assert (slot & U96) + msg.value <= U96, "deposit too large"
    self.payer_slot[msg.sender] = slot + msg.value
    log Deposited(payer=msg.sender, amount=msg.value)


@external
@payable
def pay(words: DynArray[bytes32, MAX_WORDS], ref: bytes32):
    """
    @notice Raise what the caller has ever paid to each payee to the total named; never lower it.
    @param words Each: total in wei << 160 | payee.
    @param ref What the batch is about, for audits; nothing depends on it.
    @dev All or nothing: reverts where free balance and ether sent are short. What is not needed stays free.
    """
    due: uint256 = 0
    for word: bytes32 in words:
        total: uint256 = convert(word, uint256) >> 160
        payee: address = convert(convert(word, uint256) & U160, address)
        assert payee != empty(address) and payee != msg.sender, "bad payee"
        slot: uint256 = self.pair_slot[msg.sender][payee]
        paid: uint256 = slot & U96
        if total > paid:
            more: uint256 = unsafe_sub(total, paid)
            due = unsafe_add(due, more)  # at most 600 * 2**96
            self.pair_slot[msg.sender][payee] = unsafe_add(slot, more)  # paid + more = total < 2**96: no carry
    account: uint256 = self.payer_slot[msg.sender]
    have: uint256 = (account & U96) + msg.value
    assert due <= have, "short"
    assert have - due <= U96, "deposit too large"
    self.payer_slot[msg.sender] = account - (account & U96) + (have - due)
    log Batch(payer=msg.sender, ref=ref, words=words)


@external
@payable
def push(words: DynArray[bytes32, MAX_PUSHED], seq: uint256, ref: bytes32):
    """
    @notice Send ether itself, for payees that are paid once: no slot is made for them, and nothing is to withdraw.
    @param words Each: amount in wei << 160 | payee.
    @param seq One more than that of the caller's push before: so a push happens once.
    @dev What a payee refuses becomes free again. No voucher covers what is pushed, since no pair's total grows.
    """
    account: uint256 = self.payer_slot[msg.sender]
    assert seq == ((account >> 96) & U32) + 1 and seq <= U32, "sequence"
    due: uint256 = 0
    for word: bytes32 in words:
        due = unsafe_add(due, convert(word, uint256) >> 160)
    have: uint256 = (account & U96) + msg.value
    assert due <= have, "short"
    assert have - due <= U96, "deposit too large"
    self.payer_slot[msg.sender] = account - (account & U96) + (have - due) + (1 << 96)
    log Pushed(payer=msg.sender, ref=ref, seq=seq, words=words)
    for word: bytes32 in words:  # the books are closed; whatever a payee's code calls finds them so
        amount: uint256 = convert(word, uint256) >> 160
        payee: address = convert(convert(word, uint256) & U160, address)
        done: bool = False
        if payee != self and payee != empty(address):
            done = raw_call(payee, b"", value=amount, gas=PUSH_GAS, revert_on_failure=False)
        if not done:
            self._free(msg.sender, amount)
            log Returned(payer=msg.sender, payee=payee, amount=amount)


@external
@payable
def reserve(payee: address, amount_gwei: uint256):
    """
    @notice Set `amount_gwei` gwei of the free balance aside for what the caller will owe `payee`; stops an unlock.
    """
    assert payee != empty(address) and payee != msg.sender, "bad payee"
    account: uint256 = self.payer_slot[msg.sender]
    pair: uint256 = self.pair_slot[msg.sender][payee]
    assert amount_gwei <= U64 and (pair >> 192) + amount_gwei <= U64, "reserve too large"
    have: uint256 = (account & U96) + msg.value
    assert amount_gwei * WEI_PER_GWEI <= have, "short"
    assert have - amount_gwei * WEI_PER_GWEI <= U96, "deposit too large"
    seq: uint256 = (account >> 96) & U32
    self.payer_slot[msg.sender] = have - amount_gwei * WEI_PER_GWEI + (seq << 96)
    self.pair_slot[msg.sender][payee] = pair + (amount_gwei << 192)
    log Reserved(payer=msg.sender, payee=payee, reserve_gwei=(pair >> 192) + amount_gwei)


@external
def unlock():
    """
    @notice Begin to take reserves back: from two days on `reclaim` does it. All payees can see it, and claim before.
    """
    account: uint256 = self.payer_slot[msg.sender]
    unlock_at: uint256 = block.timestamp + UNLOCK_DELAY
    self.payer_slot[msg.sender] = (account & (2**128 - 1)) + (unlock_at << 128)
    log Unlocking(payer=msg.sender, unlock_at=unlock_at)


@external
def reclaim(payee: address):
    """
    @notice Make the reserve for `payee` free again, once the unlock's delay is over.
    """
    unlock_at: uint256 = self.payer_slot[msg.sender] >> 128
    assert unlock_at > 0 and block.timestamp >= unlock_at, "locked"
    self._release(msg.sender, payee)


@external
def release(payee: address, until: uint256, signature: Bytes[65]):
    """
    @notice Make the reserve for `payee` free again at once, as `payee` has signed.
    @param until The payee's signature holds until then, in seconds since 1970: it counts on no reserve before.
    """
    assert until <= U64 and block.timestamp <= until, "too late"
    reserve_gwei: uint256 = self.pair_slot[msg.sender][payee] >> 192
    self._check(keccak256(abi_encode(RELEASE_TYPE, msg.sender, payee, reserve_gwei, until)), payee, signature)
    self._release(msg.sender, payee)


@external
def claim_overdue(payer: address, cumulative: uint256, due_by: uint256, signature: Bytes[65]):
    """
    @notice Credit the caller what `payer` has promised in a voucher and not paid in time: first from the reserve for
            the caller, then from the payer's free balance; where both are short, all that there is.
    @param cumulative All that was ever owed to the caller, in wei, as signed.
    @param due_by When it was to be paid, in seconds since 1970, as signed.
    @dev A voucher claimed twice, or paid meanwhile, credits nothing.
    """
    assert cumulative <= U96 and due_by <= U64, "bad voucher"
    assert block.timestamp > due_by, "not due yet"
    assert payer != msg.sender, "bad payee"
    self._check(keccak256(abi_encode(DUE_TYPE, payer, msg.sender, cumulative, due_by)), payer, signature)
    pair: uint256 = self.pair_slot[payer][msg.sender]
    paid: uint256 = pair & U96
    if cumulative <= paid:
        return
    account: uint256 = self.payer_slot[payer]
    reserved: uint256 = (pair >> 192) * WEI_PER_GWEI
    from_reserve: uint256 = min(cumulative - paid, reserved)
    from_free: uint256 = min(cumulative - paid - from_reserve, account & U96)
    left: uint256 = (reserved - from_reserve) // WEI_PER_GWEI
    dust: uint256 = reserved - from_reserve - left * WEI_PER_GWEI  # less than a gwei, of a reserve that was broken into
    assert (account & U96) - from_free + dust <= U96, "deposit too large"
    self.payer_slot[payer] = account - from_free + dust
    taken: uint256 = (pair >> 96) & U96
    self.pair_slot[payer][msg.sender] = paid + from_reserve + from_free + (taken << 96) + (left << 192)
    log Defaulted(payer=payer, payee=msg.sender, claimed=cumulative - paid, credited=from_reserve + from_free)


@external
def withdraw(payers: DynArray[address, MAX_WORDS], to: address):
    """
    @notice Send to `to` all that these payers have paid the caller and that it has not taken yet.
    """
    assert to != empty(address), "bad receiver"
    amount: uint256 = 0
    for payer: address in payers:
        slot: uint256 = self.pair_slot[payer][msg.sender]
        rest: uint256 = (slot & U96) - ((slot >> 96) & U96)
        if rest > 0:
            amount += rest
            self.pair_slot[payer][msg.sender] = slot + (rest << 96)  # taken = paid: no carry
    self._send(to, amount)


@external
def withdraw_own(amount: uint256):
    """
    @notice Give the caller back `amount` wei of its free balance.
    """
    slot: uint256 = self.payer_slot[msg.sender]
    assert amount <= slot & U96, "short"
    self.payer_slot[msg.sender] = slot - amount
    self._send(msg.sender, amount)


@internal
def _free(payer: address, amount: uint256):
    account: uint256 = self.payer_slot[payer]
    assert (account & U96) + amount <= U96, "deposit too large"
    self.payer_slot[payer] = account + amount


@internal
def _release(payer: address, payee: address):
    pair: uint256 = self.pair_slot[payer][payee]
    self.pair_slot[payer][payee] = pair & (2**192 - 1)
    self._free(payer, (pair >> 192) * WEI_PER_GWEI)
    log Reserved(payer=payer, payee=payee, reserve_gwei=0)


@internal
@view
def _check(content: bytes32, signer: address, signature: Bytes[65]):
    # EIP-712. The domain is hashed anew each time: a chain that splits gets another chain id.
    domain: bytes32 = keccak256(abi_encode(DOMAIN_TYPE, NAME_HASH, VERSION_HASH, chain.id, self))
    digest: bytes32 = keccak256(concat(b"\x19\x01", domain, content))
    assert len(signature) == 65 and signer != empty(address), "bad signature"
    r: uint256 = convert(slice(signature, 0, 32), uint256)
    s: uint256 = convert(slice(signature, 32, 32), uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    assert ecrecover(digest, v, r, s) == signer, "bad signature"


@internal
def _send(to: address, amount: uint256):
    # Called last: the books are closed before a stranger's code runs.
    log Withdrawn(account=msg.sender, to=to, amount=amount)
    raw_call(to, b"", value=amount)


@external
@view
def free(payer: address) -> uint256:
    """
    @notice What `payer` has to pay with, in wei.
    """
    return self.payer_slot[payer] & U96


@external
@view
def paid_by(payers: DynArray[address, MAX_WORDS], payee: address) -> DynArray[uint256, MAX_WORDS]:
    """
    @notice All that each of `payers` has ever paid to `payee`, in wei.
    """
    totals: DynArray[uint256, MAX_WORDS] = []
    for payer: address in payers:
        totals.append(self.pair_slot[payer][payee] & U96)
    return totals


@external
@view
def paid_to(payer: address, payees: DynArray[address, MAX_WORDS]) -> DynArray[uint256, MAX_WORDS]:
    """
    @notice All that `payer` has ever paid to each of `payees`, in wei.
    """
    totals: DynArray[uint256, MAX_WORDS] = []
    for payee: address in payees:
        totals.append(self.pair_slot[payer][payee] & U96)
    return totals


@external
@view
def claimable(payers: DynArray[address, MAX_WORDS], payee: address) -> uint256:
    """
    @notice What `payee` would get by `withdraw(payers, ...)`; a payer named twice is counted twice.
    """
    amount: uint256 = 0
    for payer: address in payers:
        slot: uint256 = self.pair_slot[payer][payee]
        amount += (slot & U96) - ((slot >> 96) & U96)
    return amount


@external
@view
def pairs(payers: DynArray[address, MAX_WORDS], payee: address) -> DynArray[uint256, MAX_WORDS]:
    """
    @notice The slot of each of `payers` and `payee`: paid u96 | taken u96 | reserve_gwei u64, lowest bits first.
    """
    slots: DynArray[uint256, MAX_WORDS] = []
    for payer: address in payers:
        slots.append(self.pair_slot[payer][payee])
    return slots


@external
@view
def accounts(payers: DynArray[address, MAX_WORDS]) -> DynArray[uint256, MAX_WORDS]:
    """
    @notice The slot of each of `payers`: free u96 | seq u32 | unlock_at u64, lowest bits first.
    """
    slots: DynArray[uint256, MAX_WORDS] = []
    for payer: address in payers:
        slots.append(self.payer_slot[payer])
    return slots
