#include "files/formats/pickle.h"

#include <bit>
#include <set>
#include <unordered_map>

#include "core/text.h"
#include "files/formats/byte_reader.h"
#include "files/formats/file_headers.h"
#include "files/formats/pickle_names.h"
#include "files/formats/pickle_opcodes.h"

namespace t2v {
namespace {

/// torch.save counts storages. Each mention copies the name: a long one, mentioned often, would fill memory.
constexpr size_t kLongestStorageName = 64;

enum class Kind { kNone, kInteger, kOther, kText, kTuple, kList, kDictionary, kGlobal, kTensor };

/// A value of the interpreter. Lists and dictionaries may hold each other in a circle, so all values belong
/// to the interpreter and refer to each other plainly.
struct Value {
  Kind kind;
  int64_t integer = 0;
  std::string text = {};                                ///< of a global: "module name"
  std::vector<Value*> items = {};                       ///< of a tuple or list
  std::vector<std::pair<Value*, Value*>> entries = {};  ///< of a dictionary
  PickledTensor tensor = {};                            ///< of a storage too, whose shape is empty
};

/// The values, the stack with its marks and the memo of the pickle machine.
class ValueStack {
 public:
  explicit ValueStack(const std::string& origin) : origin_(origin) {}

  [[noreturn]] void malformed() const {
    throw pickle_error(origin_, "a damaged pickle, or one of another kind than a state dict");
  }

  void push(Value value) { stack_.push_back(&values_.emplace_back(std::move(value))); }
  void push_again(Value* value) { stack_.push_back(value); }
  void push_text(std::string_view text) {
    if (!is_valid_utf8(text)) malformed();
    push({.kind = Kind::kText, .text = std::string(text)});
  }

  Value* pop() {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) malformed();
    Value* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Value* top(Kind kind) const {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor || stack_.back()->kind != kind) malformed();
    return stack_.back();
  }
  std::vector<Value*> pop_to_mark() {
    if (marks_.empty() || stack_.size() < marks_.back()) malformed();
    const auto mark = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value*> items(mark, stack_.end());
    stack_.erase(mark, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<Value*> pop_many(int count) {
    std::vector<Value*> items(static_cast<size_t>(count));
    for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
    return items;
  }

  void push_tuple(std::vector<Value*> items) { push({.kind = Kind::kTuple, .items = std::move(items)}); }

  void add_items(const std::vector<Value*>& items) {
    Value* list = top(Kind::kList);
    list->items.insert(list->items.end(), items.begin(), items.end());
  }
  void add_entries(const std::vector<Value*>& items) {
    Value* dictionary = top(Kind::kDictionary);
    if (items.size() % 2 != 0) malformed();
    for (size_t i = 0; i < items.size(); i += 2) dictionary->entries.emplace_back(items[i], items[i + 1]);
  }

  void mark() { marks_.push_back(stack_.size()); }
  void put(uint32_t index) {
    if (stack_.empty()) malformed();
    memo_[index] = stack_.back();
  }
  void memoize() { put(static_cast<uint32_t>(memo_.size())); }
  void get(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) malformed();
    stack_.push_back(found->second);
  }

 private:
  const std::string& origin_;
  std::deque<Value> values_;
  std::vector<Value*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, Value*> memo_;
};

class Interpreter {
 public:
  Interpreter(std::string_view pickle, const std::string& origin)
      : origin_(origin), reader_(pickle, origin), stack_(origin) {}

  const Value& run() {
    while (true) {
      const auto opcode = reader_.take<uint8_t>();
      if (opcode == kStop) break;
      if (!push_scalar(opcode) && !push_container(opcode) && !remember(opcode)) call(opcode);
    }
    return *stack_.pop();
  }

 private:
  [[noreturn]] void refuse(const std::string& got) const { throw pickle_error(origin_, got); }

  bool push_scalar(uint8_t opcode) {
    const auto integer = [this](int64_t value) { stack_.push({.kind = Kind::kInteger, .integer = value}); };
    switch (opcode) {
      case kNoneOp:
        stack_.push({.kind = Kind::kNone});
        return true;
      case kTrue:
      case kFalse:
        integer(opcode == kTrue);
        return true;
      case kInt4:
        integer(reader_.take<int32_t>());
        return true;
      case kInt1:
        integer(reader_.take<uint8_t>());
        return true;
      case kInt2:
        integer(reader_.take<uint16_t>());
        return true;
      case kLong1:
        integer(take_long());
        return true;
      case kFloat8:
        reader_.take_bytes(8);
        stack_.push({.kind = Kind::kOther});
        return true;
      case kText4:
        stack_.push_text(reader_.take_bytes(reader_.take<uint32_t>()));
        return true;
      case kText1:
        stack_.push_text(reader_.take_bytes(reader_.take<uint8_t>()));
        return true;
      default:
        return false;
    }
  }

  int64_t take_long() {
    const std::string_view bytes = reader_.take_bytes(reader_.take<uint8_t>());
    if (bytes.size() > 8) stack_.malformed();
    const bool negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return static_cast<int64_t>(value);
  }

  bool push_container(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        stack_.mark();
        return true;
      case kEmptyTuple:
        stack_.push_tuple({});
        return true;
      case kTuple:
        stack_.push_tuple(stack_.pop_to_mark());
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        stack_.push_tuple(stack_.pop_many(opcode - kTuple1 + 1));
        return true;
      case kEmptyList:
        stack_.push({.kind = Kind::kList});
        return true;
      case kEmptyDictionary:
        stack_.push({.kind = Kind::kDictionary});
        return true;
      case kAppend:
        stack_.add_items(stack_.pop_many(1));
        return true;
      case kAppends:
        stack_.add_items(stack_.pop_to_mark());
        return true;
      case kSetItem:
        stack_.add_entries(stack_.pop_many(2));
        return true;
      case kSetItems:
        stack_.add_entries(stack_.pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  /// The memo, and opcodes that do nothing.
  bool remember(uint8_t opcode) {
    switch (opcode) {
      case kPut1:
        stack_.put(reader_.take<uint8_t>());
        return true;
      case kPut4:
        stack_.put(reader_.take<uint32_t>());
        return true;
      case kMemoize:
        stack_.memoize();
        return true;
      case kGet1:
        stack_.get(reader_.take<uint8_t>());
        return true;
      case kGet4:
        stack_.get(reader_.take<uint32_t>());
        return true;
      case kProtocol:
        reader_.take<uint8_t>();
        return true;
      case kFrame:
        reader_.take<uint64_t>();
        return true;
      default:
        return false;
    }
  }

  void call(uint8_t opcode) {
    switch (opcode) {
      case kGlobalOp: {
        const std::string module = take_line();
        push_global(module + " " + take_line());
        return;
      }
      case kStackGlobal: {
        const std::vector<Value*> names = stack_.pop_many(2);
        if (names[0]->kind != Kind::kText || names[1]->kind != Kind::kText) stack_.malformed();
        push_global(names[0]->text + " " + names[1]->text);
        return;
      }
      case kPersistentId:
        push_storage(*stack_.pop());
        return;
      case kReduce: {
        const Value* arguments = stack_.pop();
        reduce(*stack_.pop(), *arguments);
        return;
      }
      case kBuild:  // torch.save keeps the versions of modules as an attribute of the dictionary
        stack_.pop();
        stack_.top(Kind::kDictionary);
        return;
      default:
        refuse("a pickle with the operation " + std::to_string(opcode) + ", which no state dict needs");
    }
  }

  std::string take_line() {
    std::string line;
    for (char next = reader_.take<char>(); next != '\n'; next = reader_.take<char>()) line += next;
    return line;
  }

  void push_global(const std::string& name) {
    if (!is_allowed_name(name)) {
      refuse("a pickle that asks for " + shown_name(name) +
             ", which is no part of a tensor: it may run code");
    }
    stack_.push({.kind = Kind::kGlobal, .text = name});
  }

  int64_t integer_of(const Value* value) const {
    if (value->kind != Kind::kInteger) stack_.malformed();
    return value->integer;
  }
  std::vector<int64_t> integers_of(const Value* value) const {
    if (value->kind != Kind::kTuple && value->kind != Kind::kList) stack_.malformed();
    if (value->items.size() > kMostDimensions) stack_.malformed();
    std::vector<int64_t> integers;
    for (const Value* item : value->items) integers.push_back(integer_of(item));
    return integers;
  }

  /// ("storage", class, name of the file, device, number of numbers)
  void push_storage(const Value& id) {
    if (id.kind != Kind::kTuple || id.items.size() != 5 || id.items[0]->text != "storage" ||
        id.items[1]->kind != Kind::kGlobal || id.items[2]->kind != Kind::kText ||
        id.items[2]->text.size() > kLongestStorageName) {
      stack_.malformed();
    }
    const std::string& type = id.items[1]->text;
    const auto format = storage_format(type);
    if (!format && !is_byte_storage(type)) stack_.malformed();
    stack_.push({.kind = Kind::kOther,
                 .tensor = {.storage = id.items[2]->text,
                            .format = format,
                            .storage_size = integer_of(id.items[4]),
                            .shape = {},
                            .strides = {}}});
  }

  void reduce(const Value& function, const Value& arguments) {
    if (function.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) stack_.malformed();
    const std::vector<Value*>& items = arguments.items;
    if (function.text == kOrderedDict && items.empty()) {
      stack_.push({.kind = Kind::kDictionary});
    } else if (function.text == kParameter && !items.empty() && items[0]->kind == Kind::kTensor) {
      stack_.push_again(items[0]);
    } else if ((function.text == kTensorV2 && items.size() >= 6) ||
               (function.text == kTensorV3 && items.size() >= 7)) {
      push_tensor(items, function.text == kTensorV3);
    } else {
      stack_.malformed();
    }
  }

  /// (storage, offset, shape, strides, requires_grad, hooks[, dtype])
  void push_tensor(const std::vector<Value*>& items, bool has_dtype) {
    if (items[0]->tensor.storage.empty() || items[0]->kind != Kind::kOther) stack_.malformed();
    PickledTensor tensor = items[0]->tensor;
    if (has_dtype) {
      const auto dtype = items[6]->kind == Kind::kGlobal ? dtype_format(items[6]->text) : std::nullopt;
      if (!dtype || tensor.format) stack_.malformed();
      tensor.format = dtype;
      tensor.storage_size /= number_block(*dtype).bytes;
    }
    tensor.offset = integer_of(items[1]);
    tensor.shape = integers_of(items[2]);
    tensor.strides = integers_of(items[3]);
    if (!tensor.format) stack_.malformed();
    stack_.push({.kind = Kind::kTensor, .tensor = std::move(tensor)});
  }

  const std::string& origin_;
  ByteReader reader_;
  ValueStack stack_;
};

/// The dictionary of tensors: the outermost, or the one that it holds as "state_dict" or the like.
const Value* state_dict(const Value& outermost, const std::string& origin) {
  if (outermost.kind != Kind::kDictionary)
    throw pickle_error(origin, "a pickle of something else than a dictionary");
  for (const auto& [key, value] : outermost.entries) {
    for (const char* name : {"state_dict", "model_state", "model", "module"}) {
      if (key->text == name && value->kind == Kind::kDictionary) return value;
    }
  }
  return &outermost;
}

}  // namespace

std::vector<std::pair<std::string, PickledTensor>> read_pickled_tensors(std::string_view pickle,
                                                                        const std::string& origin) {
  Interpreter interpreter(pickle, origin);
  std::vector<std::pair<std::string, PickledTensor>> tensors;
  std::set<std::string> names;
  for (const auto& [key, value] : state_dict(interpreter.run(), origin)->entries) {
    if (value->kind != Kind::kTensor) continue;
    if (key->kind != Kind::kText || !names.insert(key->text).second) {
      throw pickle_error(origin, "a name that is no text, or is there twice: " + shown_name(key->text));
    }
    tensors.emplace_back(key->text, value->tensor);
  }
  return tensors;
}

}  // namespace t2v
