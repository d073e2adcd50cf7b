#include "files/formats/pickle.h"

#include <deque>
#include <set>
#include <unordered_map>

#include "core/text.h"
#include "files/formats/byte_reader.h"
#include "files/formats/file_headers.h"

namespace t2v {
namespace {

// The names, "module name", that the pickle of a state dict may ask for. None of them is ever looked up in
// Python.

constexpr std::string_view kOrderedDict = "collections OrderedDict";
constexpr std::string_view kTensorV2 = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view kTensorV3 = "torch._utils _rebuild_tensor_v3";  // with a dtype: fp8
constexpr std::string_view kParameter = "torch._utils _rebuild_parameter";

struct NamedFormat {
  std::string_view name;
  NumberFormat format;
};
constexpr NamedFormat kStorages[] = {
    {"torch DoubleStorage", NumberFormat::kF64}, {"torch FloatStorage", NumberFormat::kF32},
    {"torch HalfStorage", NumberFormat::kF16},   {"torch BFloat16Storage", NumberFormat::kBF16},
    {"torch LongStorage", NumberFormat::kI64},   {"torch IntStorage", NumberFormat::kI32},
    {"torch ShortStorage", NumberFormat::kI16},  {"torch CharStorage", NumberFormat::kI8},
    {"torch ByteStorage", NumberFormat::kU8},    {"torch BoolStorage", NumberFormat::kBool},
};
constexpr NamedFormat kDtypes[] = {
    {"torch float64", NumberFormat::kF64},
    {"torch float32", NumberFormat::kF32},
    {"torch float16", NumberFormat::kF16},
    {"torch bfloat16", NumberFormat::kBF16},
    {"torch float8_e4m3fn", NumberFormat::kF8E4M3},
    {"torch float8_e5m2", NumberFormat::kF8E5M2},
    {"torch int64", NumberFormat::kI64},
    {"torch int32", NumberFormat::kI32},
    {"torch int16", NumberFormat::kI16},
    {"torch int8", NumberFormat::kI8},
    {"torch uint8", NumberFormat::kU8},
    {"torch bool", NumberFormat::kBool},
};

template <size_t size>
std::optional<NumberFormat> format_named(const NamedFormat (&list)[size], std::string_view name) {
  for (const NamedFormat& known : list) {
    if (known.name == name) return known.format;
  }
  return std::nullopt;
}

/// "torch FloatStorage" -> kF32; nothing for another name.
std::optional<NumberFormat> storage_format(std::string_view name) { return format_named(kStorages, name); }

/// "torch float32" -> kF32; nothing for another name.
std::optional<NumberFormat> dtype_format(std::string_view name) { return format_named(kDtypes, name); }

/// A storage of bytes, whose tensors say what they are.
bool is_byte_storage(std::string_view name) {
  return name == "torch UntypedStorage" || name == "torch.storage UntypedStorage";
}

/// Whether it is any of these.
bool is_allowed_name(std::string_view name) {
  return name == kOrderedDict || name == kTensorV2 || name == kTensorV3 || name == kParameter ||
         is_byte_storage(name) || storage_format(name) || dtype_format(name);
}

constexpr uint8_t kStop = '.';

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
      if (opcode == kStop) return *stack_.pop();
      const auto found = kOperations.find(opcode);
      if (found == kOperations.end())
        refuse("a pickle with the operation " + std::to_string(opcode) + ", which no state dict needs");
      found->second(*this);
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& got) const { throw pickle_error(origin_, got); }

  void push_integer(int64_t value) { stack_.push({.kind = Kind::kInteger, .integer = value}); }

  int64_t take_long() {
    const std::string_view bytes = reader_.take_bytes(reader_.take<uint8_t>());
    if (bytes.size() > 8) stack_.malformed();
    const bool negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return static_cast<int64_t>(value);
  }

  void push_text(uint64_t size) { stack_.push_text(reader_.take_bytes(size)); }

  void ignore_float() {
    reader_.take_bytes(8);
    stack_.push({.kind = Kind::kOther});
  }

  void take_global() {
    const std::string module = take_line();
    push_global(module + " " + take_line());
  }

  void take_global_of_stack() {
    const std::vector<Value*> names = stack_.pop_many(2);
    if (names[0]->kind != Kind::kText || names[1]->kind != Kind::kText) stack_.malformed();
    push_global(names[0]->text + " " + names[1]->text);
  }

  void call() {
    const Value* arguments = stack_.pop();
    reduce(*stack_.pop(), *arguments);
  }

  /// torch.save keeps the versions of modules as an attribute of the dictionary.
  void ignore_attributes() {
    stack_.pop();
    stack_.top(Kind::kDictionary);
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

  static const std::unordered_map<uint8_t, void (*)(Interpreter&)> kOperations;

  const std::string& origin_;
  ByteReader reader_;
  ValueStack stack_;
};

/// What each opcode does that torch.save uses
/// (https://github.com/python/cpython/blob/main/Lib/pickletools.py).
const std::unordered_map<uint8_t, void (*)(Interpreter&)> Interpreter::kOperations = {
    // Scalars
    {'N', [](Interpreter& self) { self.stack_.push({.kind = Kind::kNone}); }},           // NONE
    {0x88, [](Interpreter& self) { self.push_integer(1); }},                             // NEWTRUE
    {0x89, [](Interpreter& self) { self.push_integer(0); }},                             // NEWFALSE
    {'J', [](Interpreter& self) { self.push_integer(self.reader_.take<int32_t>()); }},   // BININT
    {'K', [](Interpreter& self) { self.push_integer(self.reader_.take<uint8_t>()); }},   // BININT1
    {'M', [](Interpreter& self) { self.push_integer(self.reader_.take<uint16_t>()); }},  // BININT2
    {0x8a, [](Interpreter& self) { self.push_integer(self.take_long()); }},              // LONG1
    {'G', [](Interpreter& self) { self.ignore_float(); }},                               // BINFLOAT
    {'X', [](Interpreter& self) { self.push_text(self.reader_.take<uint32_t>()); }},     // BINUNICODE
    {0x8c, [](Interpreter& self) { self.push_text(self.reader_.take<uint8_t>()); }},     // SHORT_BINUNICODE
    // Containers
    {'(', [](Interpreter& self) { self.stack_.mark(); }},                                  // MARK
    {')', [](Interpreter& self) { self.stack_.push_tuple({}); }},                          // EMPTY_TUPLE
    {'t', [](Interpreter& self) { self.stack_.push_tuple(self.stack_.pop_to_mark()); }},   // TUPLE
    {0x85, [](Interpreter& self) { self.stack_.push_tuple(self.stack_.pop_many(1)); }},    // TUPLE1
    {0x86, [](Interpreter& self) { self.stack_.push_tuple(self.stack_.pop_many(2)); }},    // TUPLE2
    {0x87, [](Interpreter& self) { self.stack_.push_tuple(self.stack_.pop_many(3)); }},    // TUPLE3
    {']', [](Interpreter& self) { self.stack_.push({.kind = Kind::kList}); }},             // EMPTY_LIST
    {'a', [](Interpreter& self) { self.stack_.add_items(self.stack_.pop_many(1)); }},      // APPEND
    {'e', [](Interpreter& self) { self.stack_.add_items(self.stack_.pop_to_mark()); }},    // APPENDS
    {'}', [](Interpreter& self) { self.stack_.push({.kind = Kind::kDictionary}); }},       // EMPTY_DICT
    {'s', [](Interpreter& self) { self.stack_.add_entries(self.stack_.pop_many(2)); }},    // SETITEM
    {'u', [](Interpreter& self) { self.stack_.add_entries(self.stack_.pop_to_mark()); }},  // SETITEMS
    // The memo
    {'q', [](Interpreter& self) { self.stack_.put(self.reader_.take<uint8_t>()); }},   // BINPUT
    {'r', [](Interpreter& self) { self.stack_.put(self.reader_.take<uint32_t>()); }},  // LONG_BINPUT
    {0x94, [](Interpreter& self) { self.stack_.memoize(); }},                          // MEMOIZE
    {'h', [](Interpreter& self) { self.stack_.get(self.reader_.take<uint8_t>()); }},   // BINGET
    {'j', [](Interpreter& self) { self.stack_.get(self.reader_.take<uint32_t>()); }},  // LONG_BINGET
    // Names and calls
    {'c', [](Interpreter& self) { self.take_global(); }},                     // GLOBAL
    {0x93, [](Interpreter& self) { self.take_global_of_stack(); }},           // STACK_GLOBAL
    {'Q', [](Interpreter& self) { self.push_storage(*self.stack_.pop()); }},  // BINPERSID
    {'R', [](Interpreter& self) { self.call(); }},                            // REDUCE
    {'b', [](Interpreter& self) { self.ignore_attributes(); }},               // BUILD
    // Opcodes that do nothing
    {0x80, [](Interpreter& self) { self.reader_.take<uint8_t>(); }},   // PROTO
    {0x95, [](Interpreter& self) { self.reader_.take<uint64_t>(); }},  // FRAME
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
