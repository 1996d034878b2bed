# pragma version 0.4.3
# pragma optimize gas
# pragma evm-version prague
"""
@title PairBank
@license Apache-2.0
@notice Pays many for little gas. Every pair of payer and payee has one slot, with all that was ever paid between the
        two; a payment names the new total, and the contract credits the difference. So what is sent twice pays once.
@dev No owner, no upgrade, no pause; ether leaves only to whom it belongs. Law, after every call:
     balance >= sum of free + sum of (paid - taken), equal unless ether was forced in.
     A payer's slot:  free u96 | seq u32 | unlock_at u64    (the last two are not used yet)
     A pair's slot:   paid u96 | taken u96 | reserve_gwei u64    (the last is not used yet)
     Lowest bits first. No slot is ever zeroed once written: a new slot costs 22,100 gas, a used one 5,000.
"""

MAX_WORDS: constant(uint256) = 600  # existing pairs: 3.8 M gas, a quarter of what one transaction may use
U96: constant(uint256) = 2**96 - 1
U160: constant(uint256) = 2**160 - 1

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
